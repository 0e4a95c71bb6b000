"""An Object Storage Service server that keeps objects as plain files in a folder.

Run it with ``python -m local.oss --root DIR --bucket NAME``. Every ordinary key is an ordinary
path: ``<root>/<bucket>/jobs/cat.yaml`` is the object ``jobs/cat.yaml``. Bookkeeping lives in
``<root>/.oss``.
"""
