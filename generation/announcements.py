"""The words with which models announce a rewritten prompt, talk about it afterwards and offer more, in many languages.

Owns lexical knowledge only; what is cut away is decided in answer_shape.py.
"""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re

HEADING_WORDS = 6
WORD = re.compile(r"[\u0900-\u0963]+|[^\W\d_]+")
MARKS_ABOVE = re.compile(r"[\u064b-\u0652\u0640\u200c\u200d]")  # Arabic vowels and joiners: محسّن is محسن
APOSTROPHES = re.compile(r"['’`]")


def _stems(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# An announcement is made of such words alone; "*" at a word's end: however it goes on.
PROMPT_WORDS = _stems(
    "prompt prompts prompttext systemprompt systemprompts version versions fassung version* versión versiones versione versão sürüm* versiyon*"
    " instructions instrucciones instruções istruzioni anweisung* instruction* komut* istem istemi istemin prompten promptes промпт* версия версию вариант*"
    " инструкци* پرامپت* نسخه نسخهٔ نسخهء دستورالعمل الموجه موجه للموجه نسخة النسخة التعليمات البرومبت برومبت פרומפט הפרומפט לפרומפט ההנחיה הנחיה גרסה הגרסה הנוסח"
    " प्रॉम्प्ट प्रांप्ट संस्करण निर्देश promptu promptun promptunuz* promptunuzun"
)
IMPROVED_WORDS = _stems(
    "improv* enhanc* rewrit* rewrote rewritten revis* refin* optimi* polish* rework* better updat* upgrad* restructur* clean* clear* concis* effectiv*"
    " structur* organi* profession* final finished new strong* detail* ready"
    " verbess* überarbeit* optimier* neu* klar* strukturiert* präzis* fertig* bessere* umgeschrieben* formuliert*"
    " mejorad* optimizad* reescrit* revisad* refinad* nuev* clar* estructurad* final perfeccionad* pulid*"
    " amélior* optimis* réécri* révis* retravaill* reformul* nouve* clair* structuré*"
    " migliorat* ottimizzat* riscritt* rivist* rielaborat* nuov* chiar* strutturat*"
    " melhorad* otimizad* reescrit* revisad* aprimorad* aperfeiçoad* nov*"
    " geliştir* iyileştir* hali yeniden düzenlen* optimize* yazılmış yazılan yeni net"
    " улучшен* итогов* окончательн* финальн* доработан* переработан* переписан* оптимизирован* обновлен* обновлён* исправлен* новый новая отредактирован*"
    " النهائ* نهایی بهتر بهبود* بازنویسی* بهینه* اصلاح* ویرایش* یافته یافتهء یافتهٔ شده جدید کامل* محسن* المحسن* مطور* المطور* معدل* المعدل* المنقح* منقح* المعاد معاد صياغت* كتابت* الجديد* جديد*"
    " משופר* המשופר* משודרג* המשודרג* משוכתב* המשוכתב* משופרת מחודש* המחודש* חדש* החדש*"
    " सुधारा सुधारी सुधरा बेहतर नया संशोधित उन्नत परिष्कृत लिखा"
)
OPENERS = _stems(
    "here heres below following sure certainly course absolutely great okay ok alright got understood ive i this thanks"
    " alles hier gerne natürlich klar selbstverständlich folgend* nachfolgend unten anbei"
    " aquí claro por supuesto esta este continuación siguiente presento"
    " voici voilà bien sûr certainement ci dessous suivant*"
    " ecco certo certamente seguito questa questo"
    " aqui segue abaixo seguir este esta"
    " işte elbette tabii tabi aşağıda aşağıdaki"
    " вот конечно ниже разумеется хорошо готово приведён приведен представлен"
    " ادامه اینجا حتما البته زیر این إليك اليك فيما يلي بالتأكيد بالطبع هذا هذه أدناه"
    " הנה להלן בטח כמובן בשמחה לפניך"
    " ज़रूर जरूर यह ये यहाँ यहां नीचे बिल्कुल अवश्य रहा रही"
)
FILLERS = _stems(
    "is the a an your of my s ve it that which for to and more much system assistant chatbot text as in with you have has can requested now provided gave sent made make makes be while keeping keeps all facts version"
    " finden sie ist sind ihr der die das ein eine einen deine* ihre* dein des für und mit von mehr habe deutlich wie gewünscht system ki text sie dir ihnen dies"
    " es tienes tiene te dejo encontrará* una el la los las un una de del tu tus su sus que para y más está están con lo te le sistema se presenta"
    " le la les un une de du des votre vos ton ta tes d l et plus que pour est j ai vous te"
    " il lo la i gli un una di del della tuo tua vostro suo e più per ti vi ho"
    " o a os as um uma do da seu sua teu tua e mais para está com"
    " aşağıdadır promptunuzun ve bir bu edilmiş için sizin senin daha halinin hali olarak haliyle yer alıyor"
    " дальше итоговый итоговая готовый ваш ваша вашего вашей твой твоего и для более вашу в на основе"
    " این هم در ه شما ه می بینید ببینید مشاهده کنید آمده است از را برای و می شود متن هم لك على من و في لكم النص الخاصة الخاص بك כאן את של שלך שלכם ו יותר עבורך של"
    " दिया गया गई है हैं का की के लिए आपका आपके आपकी और एक हुआ हुई हो गया ज़्यादा अधिक"
)
FOR_YOUR = re.compile(
    r"\b(?:for your|for the|for you|für (?:deine?n?|ihre?n?|die|den|das)|para (?:tu|su|el|la|o|a|sua?|seu)|pour (?:votre|ton|ta|la|le)|per (?:il|la|tuo|tua)|для)\b(?: [^\W\d_]+){1,4}$"
)


def _matcher(*tables: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    words = [MARKS_ABOVE.sub("", word) for table in tables for word in table]
    return frozenset(word.rstrip("*") for word in words), tuple({word[:-1] for word in words if word.endswith("*")})


BELOW = frozenset({"below", "unten", "follows", "ниже", "aşağıda", "aşağıdadır", "abajo", "abaixo", "sotto"})
PROMPT, IMPROVED, OPENER = _matcher(PROMPT_WORDS), _matcher(IMPROVED_WORDS), _matcher(OPENERS)
FILLER = _matcher(FILLERS)

# What nobody but a prompt's writer names, and what may follow it in an announcement.
STRONG = _matcher(_stems("prompt* systemprompt* промпт* پرامپت* برومبت البرومبت الموجه פרומפט הפרומפט प्रॉम्प्ट*"))
MORE_ABOUT_IT = re.compile(
    r"[,،] |\s[–—-]\s| (?:that|which|with|based on|ready to|for|zum|mit|basierend auf|prêt à|listo para|pronto per|pronto para) "
)

# These may as well be the heading of a prompt of its own: "# Instructions".
INSTRUCTIONS = (
    "instruc",
    "instruk",
    "istruz",
    "anweis",
    "komut",
    "инструкц",
    "دستور",
    "التعليم",
    "הנחי",
    "ההנחי",
    "निर्देश",
)

# Chinese, Japanese and Korean have no blanks between words, so that a whole sentence is a pattern.
_ZH_PROMPT = "(?:系统)?(?:提示词|提示語|提示|提示詞|prompt|指令|版本)"
_ZH_IMPROVED = "(?:最终|优化|改进|改善|改写|重写|润色|完善|升级|修改|調整|優化|改進|改寫|更新)"
WHOLE_SENTENCES = re.compile(
    rf"(?:(?:好的|当然|當然|没问题|可以|明白了)[，,。!！]? ?)?(?:(?:以下|下面|这|這|这里|這裡)(?:是|就是|为|為)?)?(?:我)?(?:为|為|给|替)?(?:您|你)?(?:所|已)?(?:经过)?{_ZH_IMPROVED}(?:后|後|过|版|好)?的?(?:{_ZH_PROMPT})?(?:如下)?"
    rf"|(?:好的|当然)?[，,。!！]?(?:以下|下面|这)(?:是|为)(?:您|你)?的?(?:更(?:好|清晰|完善|有效)|全新|新)?的?{_ZH_PROMPT}"
    r"|(?:(?:承知(?:いた)?しました|かしこまりました|もちろんです|はい|わかりました)[。、!！]? ?)?(?:以下が|以下は|以下|こちらが|こちらは|次が)?(?:、)?(?:改善|改良|最適化|修正|書き直|ブラッシュアップ|リライト|更新|推敲)(?:した|された|後の|した|版の?|済みの?|しました)?の?(?:システム)?(?:プロンプト|指示文|指示|バージョン|もの)?(?:は)?(?:以下の通り|次の通り|こちら)?(?:です|になります|となります)?"
    r"|(?:네|물론(?:입니다|이죠)?|알겠습니다)?[,.!]? ?(?:다음은|아래는|여기)? ?(?:요청하신)? ?(?:개선|최적화|수정|다시 작성|재작성|업데이트|최종)(?:된|한|본)? ?(?:시스템)? ?(?:프롬프트|버전|지시문)(?:입니다|예요)?",
    re.IGNORECASE,
)
NAMES_IT = re.compile(r"提示|指令|プロンプト|指示|프롬프트|지시문")
CHANGES_HEADING = re.compile(
    r"(?:(?:key|main|summary of|list of|what(?:'s| is| was| i)?|why|the|notable) ?)*(?:improvements?|changes? made|(?<=key )changes|(?<=main )changes|(?<=of )changes|(?<=of the )changes|(?<=notable )changes|changed|i changed|enhancements?|explanation of (?:the )?changes?|rationale|this (?:version |prompt |rewrite )?works(?: better)?|was improved|is improved|i improved|improved)(?: made| explained)?"
    r"|(?:was |wichtigste |vorgenommene |die )*(?:verbesserungen|änderungen|verbessert|geändert|erläuterung der änderungen|wurde verbessert|wurde geändert|ich (?:verbessert|geändert) habe)"
    r"|(?:principales |qué |las )*(?:mejoras|cambios realizados|ha cambiado|se ha mejorado|mejoré)(?: realizadas| clave| principales)?"
    r"|(?:principales |les |ce qui a été |ce que j'ai )*(?:améliorations?|modifications apportées|amélioré|changé|modifié)(?: apportées| clés)?"
    r"|(?:principali |cosa è |i )*(?:miglioramenti|modifiche apportate|stato migliorato|cambiato)(?: apportati| principali)?"
    r"|(?:principais |o que |as )*(?:melhorias|alterações feitas|mudanças realizadas|foi melhorado|mudou)(?: realizadas| feitas)?"
    r"|(?:yapılan |neler )*(?:iyileştirmeler|değişiklikler|değişti|geliştirildi)|(?:основные |ключевые |что )*(?:улучшения|изменения|улучшено|изменено|изменилось)"
    r"|(?:بهبودها|تغییرات|بهبودهای انجام شده|تغییرات انجام شده|چه چیزی بهبود یافت)|(?:أهم |أبرز )?(?:التحسينات|التغييرات)|(?:עיקרי |מה )?(?:השיפורים|השינויים|שופר|השתנה)"
    r"|(?:मुख्य |प्रमुख )?(?:सुधार|बदलाव|परिवर्तन)(?: क्या हैं)?|(?:主要)?(?:优化|改进|修改|优化点|改进点|修改说明|改进说明|优化说明|变更)(?:内容|说明|之处)?|(?:主な)?(?:改善点|変更点|改良点)|(?:주요 )?(?:개선 ?사항|변경 ?사항|개선점)",
    re.IGNORECASE,
)
OFFER = re.compile(
    r"this (?:version|prompt|rewrite|revision) (?:is|now|keeps|makes|should|provides|ensures|preserves|adds|organi[sz]es)\b.*"
    r"\b(?:clear\w*|structur\w+|organi[sz]\w+|concise|effective|specific|original|every fact|all (?:of )?(?:your|the) facts)\b.*"
    r"|(?:please )?(?:let me know|feel free|would you like|do you want|if you(?:['’]d| would)?(?: like| want| need| prefer)|i hope|hope this|i can also|i['’]m happy|happy to|just (?:tell|let))\b.*"
    r"\b(?:prompt|this version|me to (?:adjust|tailor|refine|tweak|change|revise|adapt|make|add|shorten|expand)|adjust (?:anything|it|this|the)|the tone to your liking|(?:any )?changes to (?:it|this)|further (?:changes|adjust\w*|refine\w*|tweaks))\b.*"
    r"|.*\b(?:sag|sagen sie|gib|geben sie|lass|lassen sie|melde|wenn du|wenn sie|falls du|falls sie|gerne|möchtest|möchten|ich hoffe)\b.*\b(?:prompts?|anpass\w*|version|änder\w+ am)\b.*"
    r"|.*(?:avísame|avíseme|dime|házmelo|si (?:quieres|desea|deseas|necesitas|prefieres)|no dudes|espero que|¿(?:quieres|deseas|te gustaría)).*\b(?:prompt|ajust\w+|versión|instrucciones)\b.*"
    r"|.*(?:n['’]hésite|dites-moi|dis-moi|si vous (?:le )?(?:souhaitez|voulez)|si tu (?:veux|souhaites)|souhaitez-vous|j['’]espère).*\b(?:prompt|version|ajust\w+)\b.*"
    r"|.*(?:fammi sapere|se (?:vuoi|desideri|preferisci)|non esitare|vuoi che|spero che|dimmi).*\b(?:prompt|version\w|modific\w+)\b.*"
    r"|.*(?:se (?:quiser|desejar|precisar|preferir)|me avise|avise-me|fique à vontade|gostaria que|espero que|quer que).*\b(?:prompt|vers\w+|ajust\w+)\b.*"
    r"|.*(?:isterseniz|istersen|dilerseniz|bana bildirin|haber verin|söyleyin|umarım).*(?:prompt|istem|sürüm|düzenle\w*|uyarla\w*).*"
    r"|.*(?:если (?:хотите|нужно|вам)|дайте знать|сообщите|могу также|хотите|надеюсь|обращайтесь).*(?:промпт|верси|вариант|доработ|скоррект|измен\w+ в нём).*"
    r"|.*(?:اگر (?:مایل|بخواهید|خواستید|نیاز|دوست)|در صورت تمایل|می‌خواهید|امیدوارم|به من بگویید).*(?:پرامپت|نسخه|تغییر|تنظیم|ویرایش).*"
    r"|.*(?:إذا (?:أردت|رغبت|كنت|أحببت)|هل تريد|هل ترغب|أخبرني|يسعدني|لا تتردد|آمل).*(?:الموجه|البرومبت|موجه|النسخة|تعديل).*"
    r"|.*(?:אם (?:תרצה|תרצי|ברצונך|צריך)|אשמח|האם תרצה|ספר לי|מקווה).*(?:פרומפט|הנחיה|הגרסה|להתאים|לשנות|לשפר).*"
    r"|.*(?:अगर|यदि|चाहें|बताएँ|बताइए|क्या आप चाह|आशा है).*(?:प्रॉम्प्ट|बदलाव|संस्करण|संशोधन).*"
    r"|.*(?:如果(?:您|你)?(?:需要|想|希望|有)|如需|需要我|是否需要|希望这|请告诉我|欢迎).*(?:提示词|提示|版本|调整|修改|优化).*"
    r"|.*(?:ご希望|必要であれば|必要に応じて|お気軽に|よろしければ|ご要望|いかがでしょう).*(?:プロンプト|調整|修正|バージョン|変更).*"
    r"|.*(?:원하시면|필요하시면|원하신다면|말씀해|알려 ?주세요|도움이 되).*(?:프롬프트|수정|조정|버전|변경).*",
    re.IGNORECASE | re.DOTALL,
)


def _in(word: str, matcher: tuple[frozenset[str], tuple[str, ...]]) -> bool:
    return word in matcher[0] or word.startswith(matcher[1])


def is_announcement(line: str, *, foreign: bool) -> bool:
    """Say whether a line announces a prompt. ``foreign``: the draft has none of its words and speaks of no prompts at all."""
    if _announces(line, foreign=foreign):
        return True
    if not line.rstrip("*_ ").endswith((":", "：")):
        return False
    head, *more = MORE_ABOUT_IT.split(line, maxsplit=1)  # "Here is the improved prompt, ready to use:"
    named = any(_in(word, STRONG) for word in WORD.findall(MARKS_ABOVE.sub("", head.casefold())))
    return bool(more) and named and not any(map(str.isdigit, line)) and _announces(f"{head}:", foreign=False)


def _announces(line: str, *, foreign: bool) -> bool:
    title = MARKS_ABOVE.sub("", line.strip().strip("#*_>- \t")).strip()
    ends_with_colon = title.rstrip("*_ ").endswith((":", "："))
    title = title.strip("*_ :：.。!！")
    if WHOLE_SENTENCES.fullmatch(title):
        return True
    text = APOSTROPHES.sub(" ", title.casefold().replace("i̇", "i"))
    words = WORD.findall(text)
    if any(sign.isdigit() for sign in title) or not 0 < len(words) <= 24:
        return False
    if not any(_in(word, PROMPT) for word in words):
        return False
    named = any(_in(word, PROMPT) and not word.startswith(INSTRUCTIONS) for word in words)
    opened = _in(words[0], OPENER) or words[-1] in BELOW
    heading = line.lstrip().startswith(("#", "*", "_"))
    if foreign and named and (ends_with_colon or opened or (heading and len(words) <= HEADING_WORDS)):
        return True
    known = [any(_in(word, table) for table in (PROMPT, IMPROVED, OPENER, FILLER)) for word in words]
    if known.count(False) > 0:
        for_your = FOR_YOUR.search(" ".join(words))
        behind = len(for_your[0].split()) if for_your else 0
        if known[: len(known) - behind].count(False) > 0:
            return False
    improved = any(_in(word, IMPROVED) and not _in(word, PROMPT) for word in words)
    if improved:
        return opened or (named and (ends_with_colon or (heading and len(words) <= HEADING_WORDS)))
    return opened and named and ends_with_colon and len(words) >= 3


def speaks_of_prompts(text: str) -> bool:
    """Say whether a text has a word for a prompt in it."""
    return (
        any(_in(word, PROMPT) for word in WORD.findall(MARKS_ABOVE.sub("", text.casefold())))
        or NAMES_IT.search(text) is not None
    )


def is_changes_heading(line: str) -> bool:
    """Say whether a line begins a section on what was changed in the prompt."""
    title = line.strip().strip("#*_>- \t:：?？").strip()
    return CHANGES_HEADING.fullmatch(title.replace("\u200c", " ")) is not None


def is_offer(paragraph: str) -> bool:
    """Say whether a paragraph offers more work on the prompt."""
    return len(paragraph) <= 400 and OFFER.fullmatch(paragraph.strip()) is not None
