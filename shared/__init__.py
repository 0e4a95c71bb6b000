"""The library the functions import: everything but the handlers themselves."""
