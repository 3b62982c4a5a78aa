"""Replies that a customer or the owner could have got from the assistant, where the draft of it was to be rewritten.

Refuses to know facts.
"""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re
import unicodedata

LOOKED_AT = 4_000  # characters in which words like these show, if a text has them at all
# An interjection is enough; a word that may as well be an order ("Welcome guests, …") has to be called out.
INTERJECTIONS = (
    r"(?:hi|hello|hey|sure|of course|certainly|absolutely|okay|ok|thank you|thanks|hallo|guten (?:tag|morgen|abend)|gerne?|natürlich|bonjour"
    r"|bien sûr|avec plaisir|hola|claro|por supuesto|buen[oa]s (?:días|tardes|noches)|olá|oi|com certeza|ciao|certo|merhaba|elbette|tabii"
    r"|здравствуйте|привет|конечно|добрый день)\b"
    r"|أهل|مرحب|بالتأكيد|بالطبع|السلام|سلام|حتما|البته|नमस्ते|ज़रूर|您好|你好|好的|当然|こんにちは|かしこまりました|はい(?=,)|שלום|בטח|בוודאי"
)
WELCOMES = (
    r"(?:welcome|willkommen|bienvenue|bienvenid[oa]s?|bem-vind[oa]s?|benvenut[oaie]|hoş geldiniz|добро пожаловать)\b"
    r"|خوش آمد|स्वागत|欢迎|いらっしゃいませ|ברוכ"
)
OPENING = re.compile(
    unicodedata.normalize("NFKC", rf"[¡\"]?(?:(?:{INTERJECTIONS})[^\n]{{0,80}}?[!,.]|(?:{WELCOMES})[^\n]{{0,80}}?!)"),
    re.IGNORECASE,
)
OPENING_WORD = re.compile(unicodedata.normalize("NFKC", rf"{INTERJECTIONS}|{WELCOMES}"), re.IGNORECASE)
# Somebody is told what to be or to do: then it is a prompt, whatever it begins and ends with.
ROLE = re.compile(
    r"\b(?:you(?:'re| are) (?:the|an?|our)|du bist|sie sind (?:der|die)|eres (?:el|la|un)|tu es|vous êtes|você é|és [oa]\b|sei (?:l|un)|ты\b|sen\b"
    r"|ask|answer|reply|greet|respond|handle|state that|tell|antworte|begrüße|frag\b|réponds|responde|pregunta|pergunte|отвечай|спроси|поприветствуй)"
    r"|أنت |تو |شما |آپ|आप [^\n.]{0,60}(?:हैं|हो)|你是|您是|请(?:用|礼貌|询问|回答)|あなたは|אתה |את ה",
    re.IGNORECASE,
)
QUESTION = re.compile(r"[?\u061f]")
ENDS_IN_QUESTION = re.compile(r"[?\u061f]\"? {0,3}$")
QUOTED = re.compile(r"[\"`「」『』]")
BULLET = re.compile(r" {0,8}(?:[-*•]|\d{1,2}[.)])")
SENTENCE_END = re.compile(r"[.!?] ?")
# What is said about questions and customers, or in parts: told to the assistant and not to a customer.
ABOUT_CUSTOMERS = re.compile(
    r"^ {0,3}(?:#{1,4} |[-*•] |\d{1,2}[.)] )|\b(?:when|if|whenever|asks?|asked|customers?|answer|reply|explain"
    r"|wenn|falls|frag\w{1,12}|kunden?|antworte\w{0,3}|beantworte\w{0,3}|erkläre|si|cuando|pregunt\w{1,12}|clientes?|responde\w{0,3}|indica"
    r"|quand|lorsqu\w{0,3}|demand\w{1,12}|clients?|réponds|répondez|explique\w{0,3}|se|quando|pergunt\w{1,12}|responda|domand\w{1,12}|rispondi"
    r"|müşteri\w{0,12}|soru\w{0,12}|sorar\w{0,6}|yanıtla\w{0,6}|если|когда|спрашива\w{1,6}|спрос\w{1,6}|клиент\w{0,4}|отвечай\w{0,2}|сообщай\w{0,2})\b"
    r"|إذا|سأل|عميل|عملاء|زبون|زبائن|أجب|اگر|پرسید|مشتری|پاسخ|यदि|अगर|पूछ|ग्राहक|当|如果|若|询问|顾客|客户|客人|告知|回答"
    r"|場合|尋ね|聞かれ|問い|お客様に|案内し|אם|שואל|לקוח|ענה",
    re.IGNORECASE | re.MULTILINE,
)
# Yes and no, and who speaks for a house.
WE = re.compile(
    r"^(?:(?:yes|no|ja|nein|oui|non|s[íiì]|sim|não|evet|hayır|да|нет)\b|نعم|لا|بله|خیر|हाँ|नहीं|可以|是的|有的|能|はい|いいえ|כן|לא)"
    r"|\b(?:we|our|us|wir|uns|unser\w{0,2}|nous|notre|nos|nosotros|nuestr[oa]s?|hacemos|tenemos|nosso|nossa|fazemos|temos|noi|nostr[oaie]|abbiamo"
    r"|biz|bizde|мы|нас|наш\w{0,3})\b|نحن|لدينا|हम|我们|私ども|当店|אנחנו|אצלנו",
    re.IGNORECASE,
)
LONGER = 1.5  # times the draft, and some words of courtesy: more is no answer to its question
COURTESY = 40  # characters


def is_reply(draft: str, answer: str) -> bool:
    """Say whether a folded answer speaks to a customer or the owner: it greets, asks what is wanted, or says what "we" do."""
    said = answer.strip()[:LOOKED_AT]
    if "\n#" in f"\n{said}" or "```" in said or ROLE.search(said):
        return False
    asked = draft[:LOOKED_AT]
    return _asks_back(asked, answer) or _greets(asked, said) or _tells_what_we_do(asked, answer, draft)


def _asks_back(draft: str, answer: str) -> bool:
    """Say whether the answer ends in a question of its own, though the draft asks nothing."""
    if QUESTION.search(draft):
        return False
    last = answer[-LOOKED_AT:].rstrip().rpartition("\n")[2]
    if not ENDS_IN_QUESTION.search(last) or QUOTED.search(last) or BULLET.match(last):
        return False
    return ":" not in SENTENCE_END.split(last[:-1])[-1]


def _greets(draft: str, answer: str) -> bool:
    """Say whether the answer begins with a greeting that the draft has not."""
    if OPENING.match(answer) is None:
        return False
    word = OPENING_WORD.match(answer.lstrip('¡"'))
    return word is not None and word[0].casefold() not in draft.casefold()


def _tells_what_we_do(asked: str, answer: str, draft: str) -> bool:
    """Say whether the draft's question is answered in the name of the house, and by nothing that tells how to answer it."""
    said = answer.strip()[:LOOKED_AT]
    return (
        QUESTION.search(asked) is not None
        and QUESTION.search(said) is None
        and len(answer) <= LONGER * len(draft) + COURTESY
        and WE.search(said) is not None
        and ABOUT_CUSTOMERS.search(said) is None
    )
