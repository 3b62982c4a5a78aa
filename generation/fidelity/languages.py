"""Which language a text is in: by its script, and among Latin ones by their commonest words.

Refuses to know facts. Looks at the first characters only, loads nothing, keeps nothing.
"""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re
from collections import Counter

from generation.fidelity import shared_scripts

LOOKED_AT = 4_000  # characters
LITERAL = re.compile(r"https?://[!-~]{1,500}|\{\{?[^{}\n]{0,80}\}\}?|`[^`\n]{0,200}`")
NO_WORD = re.compile(r"[@/\\_\d]")
SCRIPTS = (
    ("latin", re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")),
    ("cyrillic", re.compile(r"[\u0400-\u052f]+")),
    ("arabic", re.compile(r"[\u0600-\u06ff\u0750-\u077f]+")),
    ("hebrew", re.compile(r"[\u05d0-\u05ea]+")),
    ("devanagari", re.compile(r"[\u0900-\u0963\u0970-\u097f]+")),
    ("kana", re.compile(r"[\u3040-\u30ff]+")),
    ("han", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")),
    ("hangul", re.compile(r"[\uac00-\ud7af]+")),
    ("greek", re.compile(r"[\u0370-\u03ff]+")),
    ("thai", re.compile(r"[\u0e00-\u0e7f]+")),
)
BY_SCRIPT = {"hebrew": "he", "hangul": "ko", "kana": "ja", "han": "zh", "greek": "el", "thai": "th"}
SHARED = {
    "cyrillic": shared_scripts.cyrillic,
    "arabic": shared_scripts.arabic,
    "devanagari": shared_scripts.devanagari,
}
DENSE = {"han": 3, "kana": 3, "hangul": 2}  # one such sign says as much as so many letters
COMMON = {
    "en": "the a an and or of to in for on at is are be you your with as by from if not do don't never always this that it its we our"
    " what when how who please answer only about any will can say ask tell call open give use them they their then than then no here there per day",
    "de": "der die das und oder ein eine einen einem einer zu im in für auf an ist sind sei du dein deine sie ihr ihre mit als von bei"
    " wenn nicht nie immer kein keine dies es wir uns unser unsere bitte nur über wird werden kann nach bis auch zum zur vom am um hier ab gibt geliefert uhr",
    "es": "el la los las un una y o de del en para por con es son sea eres tu tus su sus que se no nunca siempre si como al lo nos"
    " nuestro nuestra nosotros usted por favor solo sobre hasta también más este esta cuando responde desde aquí está están hay los martes lunes",
    "fr": "le la les un une des et ou de du en pour par avec est sont sois tu ton ta tes vous votre vos que qui se ne pas jamais"
    " toujours si comme au aux nous notre nos seulement sur dans jusqu'à aussi plus ce cette cet d'un l'on réponds c'est à voici nom rue",
    "it": "il lo la i gli le un una e o di del della dei delle in per con è sono sei tu tuo tua suo che si non mai sempre se come al"
    " alla ai nostro nostra noi solo su fino anche più questo questa quando rispondi da dal nel nella",
    "pt": "o a os as um uma e ou de do da dos das em no na nos nas para por com é são seja você teu tua seu sua que se não nunca"
    " sempre como ao à aos nosso nossa nós só sobre até também mais este esta quando responda responde és pelo pela aqui fica está das às aos",
    "tr": "ve veya bir bu şu o için ile de da ne mi mı mu mü sen siz senin sizin biz bizim en çok daha ama gibi kadar her hiç asla"
    " değil olarak ol var yok sadece lütfen eğer göre sonra önce diye işte saat günü müşteri",
    "nl": "de het een en of van in op voor met is zijn je jij jouw u uw wij ons onze niet nooit altijd als dat dit deze ook bij naar"
    " alleen tot wordt worden kan geen om te door over",
    "pl": "i w z na do nie jest są się to że dla od po za jak lub oraz twój jesteś nasz nasza nigdy zawsze tylko o przez przy",
}
SPOKEN_IN = {
    word: tuple(language for language, words in COMMON.items() if word in words.split())
    for words in COMMON.values()
    for word in words.split()
}
WEIGHTS = {word: 1 / len(spoken_in) for word, spoken_in in SPOKEN_IN.items()}
LETTERS = {
    "de": re.compile(r"[ßäöü]"),
    "es": re.compile(r"[ñ¿¡]|[áíóú](?!\w*[ãõç])|ción\b|ciones\b"),
    "fr": re.compile(r"[œêèùûç]|\b[ldnsjcq]['’][a-zéèêàâ]"),
    "it": re.compile(r"zione\b|zioni\b|\b(?:dell|all|nell|l)['’][a-z]|ità\b"),
    "pt": re.compile(r"[ãõ]|ção\b|ções\b"),
    "tr": re.compile(r"[ışğ]|(?:lar|ler)(?:ı|i|dan|den)?\b"),
    "pl": re.compile(r"[łąęśżźć]"),
}
SPANISH_ALONE = re.compile(r"[ñ¿¡]|ción\b|ciones\b")  # in a text that has signs of Portuguese, which has accents too
AZERBAIJANI = "ə"
LATIN = ("", *COMMON, "az")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
CHINESE = re.compile(
    "[\u7684\u60a8\u4f60\u4eec\u5011\u8fd9\u9019\u662f\u5417\u55ce\u8bf7\u8acb\u6ca1\u6c92\u4e48\u9ebc\u7ed9\u7d66\u8ba2\u7535\u8bdd\u95f4\u4e70\u5356]"
)  # in no Japanese note
SURE = 0.9  # as much as one word that no other of these languages has
SHORTEST = 12  # characters in which a language shows


def languages(text: str) -> dict[str, float]:
    """Return the languages in a text with their shares; '' stands for Latin script of no known language."""
    tokens = LITERAL.sub(" ", text[:LOOKED_AT]).split()
    plain = " ".join(token for token in tokens if not (token.isascii() and NO_WORD.search(token)))
    scripts = SCRIPTS[:1] if plain.isascii() else SCRIPTS
    counts = {name: DENSE.get(name, 1) * sum(map(len, script.findall(plain))) for name, script in scripts}
    if counts.get("kana", 0) * 12 > counts.get("han", 0):  # Japanese has both
        counts["kana"] += counts.pop("han")
    total = sum(counts.values())
    shares: dict[str, float] = {}
    for script, count in counts.items():
        if count * 20 < total or not count:
            continue
        for language, share in _within(script, plain).items():
            shares[language] = shares.get(language, 0.0) + share * count / total
    return shares


def language(text: str) -> str:
    """Return the language of most of a text as its ISO 639-1 code, '' when it cannot be told."""
    shares = languages(text)
    return max(shares, key=lambda each: shares[each]) if shares else ""


def changed(draft: str, answer: str) -> bool:
    """Say whether the answer is in another language or script than the draft, as far as that can be told for certain."""
    before, after = languages(draft), languages(answer)
    if not before or not after:
        return False
    first = max(before, key=lambda each: before[each])
    main = max(after, key=lambda each: after[each])
    if first not in LATIN and len(answer) > 40 and sum(after.get(each, 0.0) for each in LATIN) > 0.85:
        return True
    if _is_neighbours(before, first, after, main) and len(answer) >= SHORTEST:
        return True
    if main == "" or after[main] < 0.6 or len(answer) < SHORTEST:
        return False
    if before.get(main, 0.0) >= 0.2:
        return False
    if main == "ja" and "zh" in before and CHINESE.search(draft) is None:
        return False  # notes in Japanese may do without kana
    # Latin words of no known language may be of this one; a text in another script is not.
    return before.get("", 0.0) < 0.5 if main in LATIN else sum(before.values()) > 0


def _is_neighbours(before: dict[str, float], first: str, after: dict[str, float], main: str) -> bool:
    """Say whether a text in one language is now nearer to another one that shares many of its words: pt and es."""
    if first == main or first not in COMMON or main not in COMMON or before[first] < SURE:
        return False
    shift = after[main] - before.get(main, 0.0) + before[first] - after.get(first, 0.0)
    return shift >= SURE and before.get(main, 0.0) < 0.5


def _within(script: str, text: str) -> dict[str, float]:
    if script in BY_SCRIPT:
        return {BY_SCRIPT[script]: 1.0}
    if script in SHARED:
        return SHARED[script](text)
    return _latin(text)


def _latin(text: str) -> dict[str, float]:
    lowered = text.lower()
    if lowered.count(AZERBAIJANI) > 2:
        return {"az": 1.0}
    scores = dict.fromkeys(COMMON, 0.0)
    for word, count in Counter(WORD.findall(lowered.replace("’", "'"))).items():
        for name in SPOKEN_IN.get(word, ()):
            scores[name] += min(count, 8) * WEIGHTS[word]
    portuguese = len(LETTERS["pt"].findall(lowered)) > 1
    for name, letters in LETTERS.items():
        signs = SPANISH_ALONE if portuguese and name == "es" else letters
        scores[name] += min(6.0, 0.8 * len(signs.findall(lowered)))
    ranked = sorted(scores, key=lambda each: scores[each], reverse=True)
    first, second = scores[ranked[0]], scores[ranked[1]]
    if first < SURE:
        return {"": 1.0}
    if first >= 1.5 * second and second < 0.45 * first:
        return {ranked[0]: 1.0}
    total = first + second
    return {ranked[0]: first / total, ranked[1]: second / total}
