"""Skims as an OMX file (Open Matrix 0.2, which is HDF5): square matrices over zones."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.io.optional import need

__all__ = ["Matrix", "omx_bytes"]


@dataclass(frozen=True)
class Matrix:
    """A quantity from zone to zone and its description; values [from, to]: in unit, NaN for none."""

    values: NDArray[np.float64]
    unit: str
    description: str


def omx_bytes(zones: Sequence[str], matrices: Mapping[str, Matrix], about: Mapping[str, str]) -> bytes:
    """An OMX file of the matrices by name.

    zones: identifiers in the order of rows and columns; the file holds them as the lookup `place_id` and
    their numbers from 1 as `zone`; about: attributes of the file. Raises LandbridgeError where h5py is
    missing.
    """
    h5py = need("h5py", "h5py", "omx", "an .omx file")
    out = io.BytesIO()
    # h5py takes no subclasses of str, as filled templates are.
    with h5py.File(out, "w", track_order=True) as file:
        file.attrs["OMX_VERSION"] = np.bytes_("0.2")
        file.attrs["SHAPE"] = np.array([len(zones), len(zones)], dtype=np.int32)
        for key, text in about.items():
            file.attrs[key] = str(text)
        data = file.create_group("data", track_order=True)
        for name, matrix in matrices.items():
            cells = data.create_dataset(
                name, data=matrix.values, chunks=(1, len(zones)), compression="gzip", shuffle=True
            )
            cells.attrs["unit"] = str(matrix.unit)
            cells.attrs["description"] = str(matrix.description)
            cells.attrs["NA"] = np.nan
        lookup = file.create_group("lookup")
        lookup.create_dataset("zone", data=np.arange(1, len(zones) + 1, dtype=np.int32))
        lookup.create_dataset("place_id", data=np.array([zone.encode() for zone in zones]))
    return out.getvalue()
