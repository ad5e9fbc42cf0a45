"""The state graph as data, and the pure rules by which programmes move along it."""
