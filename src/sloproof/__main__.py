"""``python -m sloproof`` is the command `sloproof`, wherever the script is not on the path."""

import sys

from sloproof.cli import main

sys.exit(main())
