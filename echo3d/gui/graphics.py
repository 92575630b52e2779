"""What the machine's OpenGL is, and the surface format that fits it."""

from __future__ import annotations

from PySide6.QtGui import QOffscreenSurface, QOpenGLContext, QSurfaceFormat

_SOFTWARE = ("llvmpipe", "swrast", "softpipe", "swiftshader", "software")
_GL_RENDERER = 0x1F01


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


def renderer_name() -> str:
    """Return the name of the OpenGL renderer, or "none"; needs a QApplication."""
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return "none"
    functions = context.functions()
    name = str(functions.glGetString(_GL_RENDERER) or "unknown")
    context.doneCurrent()
    return name


def is_software(renderer: str) -> bool:
    """Return whether a renderer draws on the CPU.

    >>> is_software("llvmpipe (LLVM 15.0.6, 256 bits)"), is_software("NVIDIA H200")
    (True, False)
    """
    return any(word in renderer.lower() for word in (*_SOFTWARE, "none"))
