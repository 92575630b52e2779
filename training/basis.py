"""Principal fields of drawn hearts, on the raster of the coarse fields."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.core.field import FieldGrid
from echo3d.reconstruction.s2mnet import S2MNet
from echo3d.reconstruction.slicer import tight_grid


def sampling_matrix(grid: FieldGrid, points: NDArray) -> sparse.csr_matrix:
    """Return the (N, side³) trilinear weights of points on a raster."""
    index = grid.index(points)
    base = np.minimum(np.floor(index).astype(int), grid.side - 2)
    share = index - base
    rows, columns, values = [], [], []
    for corner in np.ndindex(2, 2, 2):
        node = base + corner
        rows.append(np.arange(len(points)))
        columns.append((node[:, 0] * grid.side + node[:, 1]) * grid.side + node[:, 2])
        values.append(np.prod(np.where(corner, share, 1 - share), axis=1))
    triplet = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(triplet, shape=(len(points), grid.side**3))


def roughness(side: int) -> sparse.csr_matrix:
    """Return the matrix whose quadratic form is the sum of squared second differences on the raster."""
    line = sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(side - 2, side))
    unit = sparse.identity(side)
    along = [
        sparse.kron(sparse.kron(line, unit), unit),
        sparse.kron(sparse.kron(unit, line), unit),
        sparse.kron(sparse.kron(unit, unit), line),
    ]
    return sum((d.T @ d for d in along), sparse.csr_matrix((side**3, side**3)))


def principal_fields(fields: NDArray, count: int, grid: FieldGrid) -> NDArray[np.float32]:
    """Return principal fields on the raster, one standard deviation strong, and last their mean: (count + 1, 3, side³).

    Parameters
    ----------
    fields : (S, N, 3) displacements of the template's points, mm
    """
    flat = torch.from_numpy(fields.reshape(len(fields), -1).astype(np.float32))
    mean = flat.mean(dim=0)
    _, size, axes = torch.svd_lowrank(flat - mean, q=count + 16, niter=3)
    strong = (size[:count] / np.sqrt(len(flat)))[:, None] * axes.T[:count]
    stack = torch.cat([strong, mean[None]]).reshape(count + 1, -1, 3).numpy().astype(float)
    matrix = sampling_matrix(grid, load_template().points)
    solver = splu((matrix.T @ matrix + 0.02 * roughness(grid.side) + 1e-6 * sparse.identity(grid.side**3)).tocsc())
    right = matrix.T @ stack.transpose(1, 0, 2).reshape(matrix.shape[0], -1)
    return np.asarray(solver.solve(right).reshape(grid.side**3, count + 1, 3).transpose(1, 2, 0), dtype=np.float32)


def fields_at_points(network: S2MNet) -> Tensor:
    """Return the network's principal fields as they arrive at the template's points, (R + 1, N * 3) mm."""
    side = network.config.grid
    parts = network.principal.view(-1, 3, side, side, side).split(20)
    return torch.cat([network.at_points(part).flatten(1) for part in parts])


def coefficients(fields: Tensor, at_points: Tensor) -> Tensor:
    """Return the (S, R) coefficients that fit fields (S, N, 3) best with principal fields at the points (R + 1, N * 3)."""
    axes, mean = at_points[:-1], at_points[-1]
    gram = axes @ axes.T
    right = torch.cat([(part.float().flatten(1) - mean) @ axes.T for part in fields.split(500)])
    return torch.linalg.solve(gram + 1e-6 * gram.diagonal().mean() * torch.eye(len(gram)), right.T).T.contiguous()


def initialise(network: S2MNet, fields: NDArray, maps: Tensor, planes: NDArray) -> None:
    """Fill the network's buffers from drawn hearts: template, principal fields, places of the points, mean maps and planes.

    Parameters
    ----------
    fields : (S, N, 3) mm
    maps : (S, V, cells) structure maps
    planes : (S, V, 9)
    """
    template, grid = load_template(), tight_grid(network.config.grid)
    places = grid.index(template.points) / (grid.side - 1) * 2 - 1
    network.template.copy_(torch.from_numpy(np.array(template.points)))
    network.principal.copy_(torch.from_numpy(principal_fields(fields, network.config.principal, grid)))
    network.place.copy_(torch.from_numpy(places))
    network.map_mean.copy_(maps.float().mean(dim=0))
    network.plane_mean.copy_(torch.from_numpy(planes.mean(axis=0)))
    with torch.no_grad():
        for silent in (network.answer, network.correction, network.weights, network.plane):
            silent.weight.zero_()
            silent.bias.zero_()
