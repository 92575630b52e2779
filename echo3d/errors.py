"""The named errors of echo3d.

Every message is one sentence with the rule, the value found and the way out; it never carries a patient's name, identifier or full path.
"""


class Echo3dError(Exception):
    """Base of all errors that echo3d raises on purpose."""


class InputError(Echo3dError):
    """What the user gave cannot be used; the command line answers with exit code 2."""


class UnnamedPartsError(InputError):
    """A mesh holds no part that is known as one of a heart's; it may be something else, such as a body."""


class ShapeError(Echo3dError, ValueError):
    """An array handed to a domain type has the wrong shape, range or type."""


class ModelError(InputError):
    """Weights or their card are missing, damaged or belong to another template."""


class EngineError(Echo3dError):
    """The inference process failed or went away; the next request restarts it."""


class StoppedError(Echo3dError):
    """The user asked the work to stop; what was written before stays, and the command line answers with exit code 130."""


class RegistrationFailed(Echo3dError):  # noqa: N818 - the name that its issue gives it
    """A surface was taken for a heart and the template does not lie on it; the message carries the last residual."""
