"""The script of each Unicode character, as the numbers that ICU gives scripts: data of the Unicode Character Database."""

from __future__ import annotations

import base64
import functools
import zlib

import numpy as np

_RUNS = (
    "eNp9VltsnMUVnjMz/3V3/714vfbu2t71JbbjxLGdqx0HcqEEUCIHCE0IRChSCV8bKIQSEBABVrgY1AAJFbeohEvSkNCqgVKS"
    "JtCQVq14qCr1oUWtVPHQ10oVD1Xbh1bqN78Xt0JVH75zzpyZM3Mu85/5N6pa1SfGlFTzhKc6qqIaxM9MdUh5VGivrPaLTUSZ"
    "RMNxSSwk5U4nTkaZWJ8kQSF5UkItZyQUDBqN5YQxgjVtIeptFn5bBp4W5RMJIZr25E0i1hmpaZG7KPfppE+wro/WfeN6+aIE"
    "0zsp71z2qEb+UUHXTRpykyDTtwrt3KOkM8jTrlvfEFvJx1rVYmsFodXQRIVyQIg1sBxHLb21IXWWssDjuEqYgsAvUFegHeWA"
    "0AvgueRea94UDMcBLHWOFwsxTF4QEY5XiIDQhJfXiFt6Q1nyeVjybD5I15gG/W3QL6JCOSA04XEctfSmERB2QV9qxND99Lff"
    "wJBbcjcWQqey0xtk+y28hTU8u98nErT3e8gN8GyigygMGIStsR0IoFPZo0zfOY4Gcu3UEB1ETHjt9K6ls+20ICSVdTqv23PI"
    "1ThPrGhxv2ZRqGnU3LiX1es16CSPCOnVCDiWXt6WdMys9PqIqTe9Wawd5O1TXYOLoDs5S3hEZ0vu6NTp2Mk+5ZiwnU1cOyQY"
    "GLIYSrkgTwRDVumhRXhDugazNMl6hMaSrCibndWl6zKMIkNvyKUlL27x3v8xlyefaslXEc2MQS3jY4ev4ROz3nB3t8GWplGZ"
    "ZoDcCF0YyaB9iVYRykuzyI0yHYQezeK2Djrf4afQda2kLiqqM+V1H7vqAZbUPWwejtEYF2THbQoZZ6HHe1YyBSszWDptUZv2"
    "kZnmNZhudnSt4RVas36foHufRmYf9yYSykVZj61XWoxeabDh3pXrQ9j1kzca5Alz4/g3o5DnMTMmG94bwoioHBGIVSI+YRS/"
    "WuVhsOolEk6QWiJXlXBzVZK1whLJrK5W2D98YrDFw1bv+AIN6laR54kkXSNoI3c9JiKyPGan4jfPRqVTypaFXNWgqQrolTwG"
    "2ZPoDFuaVOtEUS2uGmXxsqeqNGjHG4Ga1cv+yrrTRvANNTYpcGhWDwQeguC/L8LkOt7mdQlkXUcmSiv9/9AMt6tR1IqCXcUs"
    "PpVijQ7zo1NSZJsrVlVUtKJLobJF5g07yqyGaGXKom6pkFc8LPEEt5X4EaqmN6CyKFQaHG1QjdINaqwi6ubKaVGXVxQ3qH+d"
    "kKLBs9FigzWLI4w/Lj/QXytjT3jzIQnRp+5g2KuYpKg6gkx1dK1BrHxM3hJi8z0hsvf4aMbLttGvbQN3ZyB3d5cMZmYYuopn"
    "2FxmGl1s2ZsiJJt4Cwm7qdl11WOd8B7ruC+Gz8s9j/+kZQnfjIjVtlXNqK/3l91Hy/t8nNxZyqKjZDFRemIT/qKLGvuKgwiq"
    "WXjGQ62Nl4MQQrcQt31LF/FnrTXLukFrrNbDSMgL4qJIRIf9zGAbYV2G2f7nhNMMh1Wdf9AyKmbCRpnYBkPzS3oBhuOAKwMV"
    "szjsvhOCGtFGaCI/oZFM9OHghAd3d0aVQaS28f7lKEkyRo3IIX5FdxpMfD0PkTqXDfREMD31HKu4y0PPKoa0auAKi+SKEVwf"
    "ja/oWc58LPcx8H2x82T4aZZq5evC/L8uRwTn9fYIle0xwu2vsHmNMaAxwVJCj/HgdFw5wE/hQPOINJ6ncfS8jKPtLX5f+i3x"
    "4L0lXbdy5a21u3iB79qA5o7OZ3lQ+VnRWEZpigunPITkhuieYjamLOIp9nWi+aQ0n5Mmhh5iO3kowur7man7K4/wS32k7WHa"
    "PVw6yJfuYBbBwetx3c1rsGJrjgjgbx0+R3/ic3JKo8F6jFymU+Yyz9WXZQbDP+HsyHnZga6fShkdFyTCzEaLno1M38ZNDzIF"
    "D/LtfUUCxK+Ij1UP8E14IMTQG1y452XuVe7NoPQahaWvyUYEJymJI9aRvCOZkzScPso8xEcp2WeoC59xHjhSccPAEe2I54hI"
    "tDBvHJFnaEjiuZXaEeNWfluw+x1n9I704NrjLtDjckqw+hQXDZ6SPlx9glWMT9A6V2/D1KsujldlNepvckX+Tdag8KZc5v/M"
    "j+R2bH9BspAXJLjkjnQkvOT8cqSnJfFaXmLo8SXZjPBDVz5HMh9KHde+Rwe2vyvdmPqezPETP02TUUeS0xKj+zSdbp5xIZ9x"
    "ujNyHYKzbldHlp7lrCwMo7MumLP023/f6RxZtCBRxzjel3MszY/lPBP2OHvs8v4c/xyOBXvvwD17mZS9GfxC9n7UjrPhNdzx"
    "mk8a+MR+Vy5chQv2EDdovMit4heZA/2i7EHPU3TNf4qebt4SI97CqhDtWzy0bXnXw60fyF5s2W0xtZs/U7s3QI6JvMQ+KR8z"
    "xbqY4B9jx+j0rH9MPjUfywiiY/L3qyGV47o8AVMuwlZCHDYvyRMl3DnHWubmGHM052Jhm4Cd47v1x0H8jb0OQ2wAVyojRRXy"
    "jEB6lJVp1YHNyTHeObbgnXyaq2pO8FW2jGsIrVyj0Sl3fTyrJG08rqVsTDsS69kad6VjcW8A18y3nd86w5OOLFeHvf15ePt5"
    "gff/JkbAZ6g4qVOuCW/ydyzsRTqfXKTf8UWXwovyucbajxiWfCSzMX4phzlXOCyLsfVtLogd0W/LUR9fUVtxhfo5XeAHWSd0"
    "+q+t3f82Yj2vn///5q3XtiXPw3xp/ZfxxZzbI2jt9cV+bu+i9tI9vFReyfXPaSxln7ydSc0zevd0OyxiFX4oahI1JWWtcumi"
    "SPHlVQl8xTL8PlBh2nsdDtB8F2ezqpw+r5Occ4/CMHlPWpYZPMRtb1TuUeDihEqPhob/J0FazCDlhkcFajG+44q3Ri3iLk+F"
    "+OzXutiHD5rFDD4TPlWHRnnj3ltbfL0Tx23xTxn8arB47g9LWM0e7FGzgs9Fjvwzg38Dn/lJEg=="
)
"""Runs of code points of one script, compressed: pairs of length and script as variable-length integers, base 64."""

NAMES: dict[str, int] = {
    "Arabic": 2, "Armenian": 3, "Bengali": 4, "Bopomofo": 5, "Cherokee": 6, "Coptic": 7, "Cyrillic": 8,
    "Devanagari": 10, "Ethiopic": 11, "Georgian": 12, "Gothic": 13, "Greek": 14, "Gujarati": 15, "Gurmukhi": 16,
    "Han": 17, "Hangul": 18, "Hebrew": 19, "Hiragana": 20, "Kannada": 21, "Katakana": 22, "Khmer": 23,
    "Lao": 24, "Latin": 25, "Malayalam": 26, "Mongolian": 27, "Myanmar": 28, "Ogham": 29, "Oriya": 31,
    "Runic": 32, "Sinhala": 33, "Syriac": 34, "Tamil": 35, "Telugu": 36, "Thaana": 37, "Thai": 38,
    "Tibetan": 39, "Common": 0, "Inherited": 1,
}  # fmt: skip
"""Numbers of the scripts that regular expressions name."""


@functools.cache
def table() -> np.ndarray:
    """The number of the script for each code point from 0 to 0x10FFFF, as int32."""
    numbers, value, shift = [], 0, 0
    for byte in zlib.decompress(base64.b64decode(_RUNS)):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    return np.repeat(np.array(numbers[1::2], np.int32), numbers[::2])
