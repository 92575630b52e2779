"""What the machine's OpenGL is, and the surface format that fits it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QOffscreenSurface, QOpenGLContext, QSurfaceFormat

_SOFTWARE = ("llvmpipe", "swrast", "softpipe", "swiftshader", "software")
_GL_VENDOR, _GL_RENDERER, _GL_VERSION = 0x1F00, 0x1F01, 0x1F02


@dataclass(frozen=True, slots=True)
class Graphics:
    """What the machine's OpenGL says of itself; "none" where there is none.

    Parameters
    ----------
    vendor, renderer, version : as the driver names them
    """

    vendor: str = "none"
    renderer: str = "none"
    version: str = "none"


def install_surface_format() -> None:
    """Install the surface format for the whole process; call before the first window.

    *Source:* pyvistaqt's rwi.py: desktop OpenGL 3.2 core, no multisampling in Qt's own context.
    """
    form = QSurfaceFormat()
    form.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    form.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    form.setVersion(3, 2)
    form.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)
    form.setDepthBufferSize(24)
    form.setAlphaBufferSize(8)
    form.setSamples(0)
    QSurfaceFormat.setDefaultFormat(form)


def graphics() -> Graphics:
    """Return what OpenGL says of itself; needs a QApplication."""
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return Graphics()
    functions = context.functions()
    told = [str(functions.glGetString(name) or "unknown") for name in (_GL_VENDOR, _GL_RENDERER, _GL_VERSION)]
    context.doneCurrent()
    return Graphics(*told)


def renderer_name() -> str:
    """Return the name of the OpenGL renderer, or "none"; needs a QApplication."""
    return graphics().renderer


def is_software(renderer: str) -> bool:
    """Return whether a renderer draws on the CPU.

    >>> is_software("llvmpipe (LLVM 15.0.6, 256 bits)"), is_software("NVIDIA H200")
    (True, False)
    """
    return any(word in renderer.lower() for word in (*_SOFTWARE, "none"))
