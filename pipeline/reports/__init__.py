"""Reports: questions put to the store, their rows made into what people read."""
