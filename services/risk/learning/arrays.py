"""Names of the arrays that pass through here, and what stops a command."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Json: TypeAlias = dict[str, Any]
Say: TypeAlias = Callable[[str], None]


class Unusable(ValueError):
    """The data or the scorecard cannot serve; the message names the file and the column, and says why."""
