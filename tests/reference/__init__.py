"""Published reference cases, and what runs them: `python -m tests.reference FOLDER`."""
