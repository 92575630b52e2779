"""The Qt binding itself: one release loses a reference to None with every call on Python 3.11 and ends in an abort."""

import sys

from PySide6.QtGui import QColor, QImage, QPainter


def test_calls_keep_the_references_to_none(qapp) -> None:
    image = QImage(8, 8, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    before = sys.getrefcount(None)
    for _ in range(500):
        painter.setPen(QColor("red"))
    after = sys.getrefcount(None)
    painter.end()
    assert after - before > -50
