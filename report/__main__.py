"""``python -m report``: the command line for a project that lists its sections in report.toml."""

import sys

from report.cli import main

sys.exit(main())
