"""Fixtures of tests in several rooms."""

from tests.kit.log_lines import printed as printed
