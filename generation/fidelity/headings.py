"""The heading over a draft's own sentences, by language."""
# ruff: noqa: RUF001  # words of many languages

from __future__ import annotations

from collections.abc import Mapping

HEADINGS: Mapping[str, str] = {
    "en": "Further facts, as the owner wrote them",
    "de": "Weitere Angaben im Wortlaut",
    "es": "Otros datos, tal como se escribieron",
    "fr": "Autres informations, telles qu'elles ont été écrites",
    "it": "Altri dati, come sono stati scritti",
    "pt": "Outros dados, tal como foram escritos",
    "tr": "Diğer bilgiler, yazıldığı gibi",
    "ru": "Другие сведения, как они были написаны",
    "ar": "معلومات أخرى كما كُتبت",
    "fa": "اطلاعات دیگر، همان‌گونه که نوشته شده",
    "he": "פרטים נוספים, כפי שנכתבו",
    "hi": "अन्य जानकारी, जैसी लिखी गई थी",
    "zh": "其他信息（照原文）",
    "ja": "その他の情報（原文のまま）",
    "ko": "그 밖의 정보(원문 그대로)",
}
