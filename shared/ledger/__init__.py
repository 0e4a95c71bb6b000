"""The bucket's state: records, and the indexes over them."""
