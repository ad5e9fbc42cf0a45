"""What `start.py` does before Moltrail itself can run: standard library only, nothing imported from the project."""
