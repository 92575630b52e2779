"""What the paper prints of its results, as data."""

from __future__ import annotations

TABLE3: tuple[tuple[float, float], ...] = (
    (-12.1, 0.2641),
    (-12.4, 0.2859),
    (-14.9, 0.2970),
    (-15.3, 0.3028),
    (-14.0, 0.3035),
    (-15.8, 0.3127),
    (-12.6, 0.3151),
    (-14.7, 0.3166),
    (-16.7, 0.3206),
    (-14.2, 0.3297),
    (-15.4, 0.3352),
    (-16.8, 0.3723),
    (-18.2, 0.3742),
    (-20.1, 0.3861),
)
"""GLPS (per cent, by clinicians) and predicted EF (fraction) of 14 real patients. *Source:* the paper, Table 3.

Their correlation is -0.856; the paper prints -0.82 (reference science.md 0.2).
"""

MSE_CM2 = (1.84e-2, 7.71e-3)
"""Mean and standard deviation of the mean squared error; read as cm² (reference science.md 0.4). *Source:* the paper, section 5.2."""

MSE_CASES_CM2 = (8.56e-3, 6.25e-2)
"""The least and the greatest mean squared error. *Source:* the paper, Figure 4."""

NOISE_CM2 = 27.7
"""Mean squared error of random guesses over the target's range. *Source:* the paper, section 5.2."""
