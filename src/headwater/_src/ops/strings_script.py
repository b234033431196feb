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
    "Adlam": 167, "Ahom": 161, "Anatolian_Hieroglyphs": 156, "Arabic": 2, "Armenian": 3, "Avestan": 117,
    "Balinese": 62, "Bamum": 130, "Bassa_Vah": 134, "Batak": 63, "Bengali": 4, "Bhaiksuki": 168, "Bopomofo":
    5, "Brahmi": 65, "Braille": 46, "Buginese": 55, "Buhid": 44, "Canadian_Aboriginal": 40, "Carian": 104,
    "Caucasian_Albanian": 159, "Chakma": 118, "Cham": 66, "Cherokee": 6, "Chorasmian": 189, "Common": 0,
    "Coptic": 7, "Cuneiform": 101, "Cypriot": 47, "Cyrillic": 8, "Deseret": 9, "Devanagari": 10,
    "Dives_Akuru": 190, "Dogra": 178, "Duployan": 135, "Egyptian_Hieroglyphs": 71, "Elbasan": 136, "Elymaic":
    185, "Ethiopic": 11, "Georgian": 12, "Glagolitic": 56, "Gothic": 13, "Grantha": 137, "Greek": 14,
    "Gujarati": 15, "Gunjala_Gondi": 179, "Gurmukhi": 16, "Han": 17, "Hangul": 18, "Hanifi_Rohingya": 182,
    "Hanunoo": 43, "Hatran": 162, "Hebrew": 19, "Hiragana": 20, "Imperial_Aramaic": 116, "Inherited": 1,
    "Inscriptional_Pahlavi": 122, "Inscriptional_Parthian": 125, "Javanese": 78, "Kaithi": 120, "Kannada": 21,
    "Katakana": 22, "Kayah_Li": 79, "Kharoshthi": 57, "Khitan_Small_Script": 191, "Khmer": 23, "Khojki": 157,
    "Khudawadi": 145, "Lao": 24, "Latin": 25, "Lepcha": 82, "Limbu": 48, "Linear_A": 83, "Linear_B": 49,
    "Lisu": 131, "Lycian": 107, "Lydian": 108, "Mahajani": 160, "Makasar": 180, "Malayalam": 26, "Mandaic":
    84, "Manichaean": 121, "Marchen": 169, "Masaram_Gondi": 175, "Medefaidrin": 181, "Meetei_Mayek": 115,
    "Mende_Kikakui": 140, "Meroitic_Cursive": 141, "Meroitic_Hieroglyphs": 86, "Miao": 92, "Modi": 163,
    "Mongolian": 27, "Mro": 149, "Multani": 164, "Myanmar": 28, "Nabataean": 143, "Nandinagari": 187,
    "New_Tai_Lue": 59, "Newa": 170, "Nko": 87, "Nushu": 150, "Nyiakeng_Puachue_Hmong": 186, "Ogham": 29,
    "Ol_Chiki": 109, "Old_Hungarian": 76, "Old_Italic": 30, "Old_North_Arabian": 142, "Old_Permic": 89,
    "Old_Persian": 61, "Old_Sogdian": 184, "Old_South_Arabian": 133, "Old_Turkic": 88, "Oriya": 31, "Osage":
    171, "Osmanya": 50, "Pahawh_Hmong": 75, "Palmyrene": 144, "Pau_Cin_Hau": 165, "Phags_Pa": 90,
    "Phoenician": 91, "Psalter_Pahlavi": 123, "Rejang": 110, "Runic": 32, "Samaritan": 126, "Saurashtra": 111,
    "Sharada": 151, "Shavian": 51, "Siddham": 166, "SignWriting": 112, "Sinhala": 33, "Sogdian": 183,
    "Sora_Sompeng": 152, "Soyombo": 176, "Sundanese": 113, "Syloti_Nagri": 58, "Syriac": 34, "Tagalog": 42,
    "Tagbanwa": 45, "Tai_Le": 52, "Tai_Tham": 106, "Tai_Viet": 127, "Takri": 153, "Tamil": 35, "Tangut": 154,
    "Telugu": 36, "Thaana": 37, "Thai": 38, "Tibetan": 39, "Tifinagh": 60, "Tirhuta": 158, "Ugaritic": 53,
    "Vai": 99, "Wancho": 188, "Warang_Citi": 146, "Yezidi": 192, "Yi": 41, "Zanabazar_Square": 177,
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
