"""echo3d: from 2D echo views to a beating 3D four-chamber heart.

Research use only; not a medical device.
"""

__version__ = "0.1.0"
