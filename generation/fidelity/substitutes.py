"""Answers that take the place of a rewrite: our instruction recited, the draft obeyed, its owner talked to.

Refuses to know facts.
"""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re
from functools import cache

from generation.fidelity.replies import LOOKED_AT, is_reply

MEMBER = "manual_prompt"  # by which the instruction calls the draft
RUN = 8  # words of ours in a row that nobody writes by chance
AT_ONCE = 10_000  # characters
FEW_WORDS = 4  # of so short a draft nothing can be said
HAS_FACTS = re.compile(r"[\d{@`]|://")
WORD = re.compile(r"\w+")
UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[\u0900-\u0963]+|\w+")
QUESTION_MARKS = str.maketrans({"\u061f": "?", "\uff1f": "?"})
SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]?")
SAYS_NOTHING_OF = 0.3  # of the words of what a draft says beside its question
GREETING = re.compile(
    r"(?:(?:subject|betreff|objet|asunto|assunto|oggetto|konu|тема|الموضوع|موضوع|विषय|主题|主旨|件名|נושא) ?: ?[^\n]{1,120}\n{1,3})?"
    r"(?:(?:dear|hello|hi|sehr geehrte|liebe[rs]?|bonjour|chère?|madame|monsieur|estimad[oa]s?|querid[oa]s?|prezad[oa]s?"
    r"|gentile|cher|уважаем\w+|здравствуйте|sayın)\b|عزيزي|شقيق|مشتری گرامی|לקוח יקר|प्रिय|尊敬的|亲爱的)[^\n]{0,60}\n",
    re.IGNORECASE,
)
WRITE = re.compile(
    r"\b(?:write|draft|compose|schreib\w*|verfass\w*|écri\w+|rédige\w*|escrib\w+|redacta\w*|escrev\w+|redij\w+|scriv\w+"
    r"|напиши\w*|составь\w*)\b|\byaz\b|اكتب|بنویس|כתוב|लिख|写|書",
    re.IGNORECASE,
)
# To the owner, about the prompt: "Sure! Tell me more about your business, so that I can write a better prompt."
TALKS = re.compile(
    r"\b(?:tell me|could you (?:share|tell|provide)|please (?:share|provide|send|paste)|i(?:'d| would) be happy|i can(?:'t|not)|i'm sorry|"
    r"as an ai)\b|\b(?:sag mir|teilen sie|kannst du mir|könnten sie mir|ich kann nicht|es tut mir leid)\b"
    r"|\b(?:cuéntame|dime|podrías (?:decirme|compartir)|no puedo|lo siento)\b|\b(?:dites-moi|dis-moi|pouvez-vous (?:me|partager)|je ne peux pas|désolé)\b"
    r"|\b(?:diga-me|me diga|conte-me|poderia (?:me|compartilhar)|não posso|desculpe)\b|\b(?:dimmi|mi dica|potresti|non posso|mi dispiace)\b"
    r"|(?:расскажите|сообщите|пришлите|не могу|извините)|(?:söyler misiniz|paylaşır mısınız|yapamam|üzgünüm)"
    r"|(?:मुझे बताइए|मुझे बताएँ|बताइए कि|माफ़ कीजिए)|(?:لطفاً بگویید|به من بگویید|بفرمایید که|متأسفم)|(?:أخبرني|يرجى تزويدي|هل يمكنك|عذر|آسف)"
    r"|(?:ספר לי|אנא ספר|תוכל לשתף|מצטער)|(?:请告诉我|請告訴我|请提供|抱歉|对不起)|(?:教えてください|お知らせください|申し訳)|(?:알려주세요|알려 주세요|죄송)",
    re.IGNORECASE,
)
ABOUT_PROMPT = re.compile(
    r"prompt|промпт|प्रॉम्प्ट|पर्ॉम्प्ट|پرامپت|الموجه|פרומפט|提示|プロンプト|프롬프트|business|unternehmen|negocio|entreprise|negócio|бизнес|işletme|व्यवसाय"
    r"|کسب.?و.?کار|نشاط|העסק|业务|企业|お店|사업|assist|help|hilf|ayud|aide|помо|yardım",
    re.IGNORECASE,
)
# What prompts have and answers have not: somebody is told what to be and how to behave.
PROMPT_LIKE = re.compile(
    r"^\s{0,3}(?:#{1,4} |[-*•] |\d{1,2}[.)] )|\b(?:you are|you're|your|you|answer|reply|respond|speak|never|always|do not|don't|must|be|use|ask)\b"
    r"|\b(?:du bist|sie sind|du|sie|antworte\w*|sprich|nie|niemals|immer|nicht)\b|\b(?:eres|responde\w*|atiend\w+|nunca|siempre|no|habla)\b"
    r"|\b(?:tu es|vous êtes|tu|vous|réponds|répondez|jamais|toujours|sois|soyez)\b|\b(?:você|és|atende|sempre|seja|não)\b"
    r"|\b(?:sei|rispondi|mai|sempre|non)\b|\b(?:ты|вы|отвечай\w*|никогда|всегда|не)\b|\b(?:sen|siz|asla|her zaman|ol|olun|yanıtla\w*|cevap\w*)\b"
    r"|(?:आप|करें|करो|दें|दो|रहें|कभी)|(?:شما|پاسخ|باش|بده|دهید|کن|کنید|هرگز|همیشه|نده)|(?:أنت|أجب|لا ت|دائم|\bكن\b|تحدث)"
    r"|(?:אתה|את |ענה|עני|אל ת|תמיד|לעולם)|(?:你|您|请|請|不要|回答|必须|勿)|(?:あなた|ください|して|する|しない|お答え|係|役)|(?:당신|하세요|마세요|답변|해라)",
    re.IGNORECASE | re.MULTILINE,
)


def runs(text: str) -> frozenset[str]:
    """Return every run of eight words of a text."""
    words = WORD.findall(text.lower())
    return frozenset(" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


def leaked(own: frozenset[str], draft: str, answer: str) -> bool:
    """Say whether the answer has a run of eight of our words that the draft has not, or the name of the draft's member."""
    if MEMBER in answer and MEMBER not in draft:
        return True
    words, firsts = WORD.findall(answer.lower()), _firsts(own)
    found = {
        run
        for at, three in enumerate(zip(words, words[1:], words[2:], strict=False))
        if three in firsts and (run := " ".join(words[at : at + RUN])) in own
    }
    return bool(found and found - runs(draft))


@cache
def _firsts(own: frozenset[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(run.split(" ", 3)[:3]) for run in own)


def answered(draft: str, answer: str, *, lost: int, facts: int) -> bool:
    """Say whether the answer does what the draft asks for, or talks to its owner, where it was to be rewritten."""
    return not answer.strip() or _is_no_rewrite(draft, answer, lost, facts) or is_reply(draft, answer)


def _is_no_rewrite(draft: str, answer: str, lost: int, facts: int) -> bool:
    if _only_the_question(draft, answer) or _as_letter(draft, answer):
        return True
    if _mostly_the_same(draft, answer) or (kept := _kept(draft, answer)) >= 0.5:
        return False
    if answer.lstrip()[:1] in "{[" and answer.rstrip()[-1:] in "}]" and draft.lstrip()[:1] not in "{[":
        return lost > 0 or kept < 0.2
    short, beginning = len(answer) <= max(400, len(draft)), answer[:LOOKED_AT]
    if (
        short
        and "\n#" not in "\n" + answer
        and ABOUT_PROMPT.search(beginning)
        and TALKS.search(beginning)
        and not TALKS.search(draft[:LOOKED_AT])
    ):
        return True
    if lost == 0 and (HAS_FACTS.search(draft) or len(UNIT.findall(draft)) < FEW_WORDS):
        return False
    return lost * 2 >= facts and PROMPT_LIKE.search(beginning) is None


def _only_the_question(draft: str, answer: str) -> bool:
    """Say whether a draft that asks something and says more is left with an answer to its question."""
    asked = draft[:LOOKED_AT].translate(QUESTION_MARKS)
    if "?" not in asked or len(answer) > len(draft):
        return False
    sentences = SENTENCE.findall(asked)
    rest = " ".join(sentence for sentence in sentences if not sentence.endswith("?"))
    return (
        len(UNIT.findall(rest)) >= 2
        and _kept(rest, answer) < SAYS_NOTHING_OF
        and PROMPT_LIKE.search(answer[:LOOKED_AT]) is None
    )


def _as_letter(draft: str, answer: str) -> bool:
    """Say whether a draft that wants something written got the letter itself."""
    letter = GREETING.match(answer.lstrip())
    if letter is None or letter[0].strip() in draft or "\n#" in answer:
        return False
    return WRITE.search(draft[:LOOKED_AT]) is not None


def _mostly_the_same(draft: str, answer: str) -> bool:
    """Say whether most of what stands between spaces is in both: quickly told, and then the words are there as well."""
    ours = set(draft.split())
    return len(ours) >= 20 and len(ours & set(answer.split())) >= 0.8 * len(ours)


def _kept(draft: str, answer: str) -> float:
    """Return which part of the draft's words (signs, in scripts without spaces) are in the answer."""
    words = _words(draft[:20_000])
    return len(words & _words(answer)) / len(words) if words else 1.0


def _words(text: str) -> set[str]:
    """Return the words of a text, read in parts: nothing else can go on while a pattern reads."""
    return {word for at in range(0, len(text), AT_ONCE) for word in UNIT.findall(text[at : at + AT_ONCE].casefold())}
