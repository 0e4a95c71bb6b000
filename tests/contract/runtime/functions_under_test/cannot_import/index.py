from __future__ import annotations

raise RuntimeError("this module cannot be imported")
