"""Sentences to a draft's owner, told by classes of words: who rewrote it, where the result stands, what more is offered.

Owns the words of many languages. One class alone says nothing; two of one language in a sentence do.
"""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 300  # characters of a sentence
# A draft's owner speaks of what is theirs; who rewrote it for them does not.
OURS = re.compile(
    r"\b(?:our|ours|we|us|unser\w*|wir|notre|nos|nous|nuestr\w+|nostr[aoie]|noi|noss[ao]s?|nós|bizim|biz|наш\w*|мы|нас)\b"
    r"|לנו|אנחנו|हमार|हम |我们|我們|本店|当店|弊社|当社|私たち|우리|저희",
    re.IGNORECASE,
)


class Tongue(NamedTuple):
    """One language: nouns for the text, "I rewrote", "below", "revised", "I kept", "do you want", "shorter, changes"."""

    text: re.Pattern[str]
    did: re.Pattern[str]
    below: re.Pattern[str]
    revised: re.Pattern[str]
    kept: re.Pattern[str]
    asks: re.Pattern[str]
    change: re.Pattern[str]


def _tongue(*classes: str) -> Tongue:
    return Tongue(*(re.compile(words, re.IGNORECASE) for words in classes))


TONGUES: dict[str, Tongue] = {
    "en": _tongue(
        r"\b(?:prompt|text|draft|version|wording|instructions?|copy|brief|content|structure|description|rewrite|revision|facts|details|information|layout|everything|it|things|(?:what|how) i(?:['’]d| would))\b",
        r"\bi(?:['’]ve| have)? (?:gone ahead and |went ahead and )?(?:also |now |just |carefully |lightly |slightly )?(?:rewritten|rewrote|tightened|grouped|(?:re)?organi[sz]ed|(?:re)?structured|cleaned|clarified|improved|condensed|streamlined|sorted|(?:re)?arranged|polished|edited|shortened|simplified|reworked|revised|refined|(?:re)?formatted|rephrased|reworded|trimmed|smoothed|(?:put|laid|set) .{0,40}\b(?:order|sections|headings|clearly|out|form|shape)|turned .{0,40}\binto|made .{0,40}(?:clear|short|concis|read|easier)\w*)\b",
        r"\b(?:below|here(?:['’]s| is| are| you)?|the following|this is|this['’]s)\b",
        r"\b(?:rewritten|rewrite|reworked|revised|improved|polished|cleaned[- ]up|refined|tightened|updated|restructured|reorgani[sz]ed|reworded|condensed|edited|clearer|my (?:suggestion|version|take|proposal|rewrite)|(?:what|how) i(?:['’]d| would) (?:use|suggest|go with|propose|write|put|phrase))\b",
        r"\b(?:i(?:['’]ve| have)? (?:kept|preserved|left|retained|carried over|not changed|not altered|not touched)|i (?:did not|didn['’]t|haven['’]t) (?:change|alter|touch|changed|altered|touched|remove|removed|add|added))\b.*\b(?:prices?|numbers?|facts?|details?|names?|links?|data|information|everything|all|contents?|figures?|nothing|any(?:thing)?|placeholders?)\b",
        r"\b(?:would you (?:like|prefer)|do you (?:want|need|prefer)|want (?:me|it|a|an|another|the|something)|(?:shall|should|could|can|may) (?:i|it|this)|need (?:a|an|it|any|anything|me|something)|let me know|just (?:tell|ask|say|let)|tell me|say the word|if you(?:['’]d)? (?:would )?(?:like|want|need|prefer|wish)|i(?:['’]m| am|['’]d be| would be) (?:also )?(?:happy|glad)|don['’]t hesitate|prefer (?:a|an|it|something))\b",
        r"\b(?:shorter|longer|shorten|expand|versions?|variants?|tone|changes?|changed|adjust\w*|tweak\w*|refine\w*|revis\w+|rewrit\w+|reword\w*|edit(?:s|ed)?|modif\w+|adapt\w*|tailor\w*|concise|more formal|formal|detailed|different|trim\w*|anything else)\b",
    ),
    "de": _tongue(
        r"\b(?:prompts?|texte?s?|entwurf\w*|fassung|version|anweisung\w*|beschreibung|formulierung\w*|inhalte?|struktur|angaben|vorgaben|vorlage|alles|so würde ich)\b",
        r"\b(?:ich habe|habe ich|hab ich)\b.{0,120}\b(?:gegliedert|über?arbeitet|umgeschrieben|umformuliert|verbessert|optimiert|strukturiert|geordnet|sortiert|gekürzt|gestrafft|formuliert|zusammengefasst|gefasst|aufbereitet|angepasst|gruppiert|geglättet|vereinfacht|präzisiert|bereinigt|aufgeräumt|gebracht|unterteilt|gebündelt)\b",
        r"\b(?:hier|unten|nachfolgend|nachstehend|folgenden?|folgt|anbei|das ist|dies ist|so würde ich|untenstehend)\b",
        r"\b(?:überarbeitete?\w*|verbesserte?\w*|neue\w*|neu gefasst\w*|optimierte?\w*|klarere?\w*|umgeschriebene?\w*|strukturierte?\w*|gegliederte?\w*|gestraffte?\w*|umformulierte?\w*|mein(?:e|en)? (?:vorschlag|version|fassung))\b|so würde ich",
        r"\b(?:ich habe|habe ich|hab ich|sind|wurden|blieben|ist|bleiben)\b.*\b(?:preise|zahlen|angaben|fakten|daten|namen|links|informationen|details|inhalte?|nichts|alles|platzhalter)\b.*\b(?:übernommen|beibehalten|belassen|(?:un)?verändert|geändert|weggelassen|hinzugefügt|gelassen)\b|\b(?:alle|sämtliche)\b.*\b(?:preise|zahlen|angaben|fakten|daten|namen|links|informationen|details|inhalte?|platzhalter)\b.*\b(?:übernommen|beibehalten|belassen|unverändert geblieben|erhalten geblieben)\b",
        r"\b(?:soll ich|möchtest du|möchten sie|willst du|wollen sie|wünschst du|wünschen sie|brauchst du|brauchen sie|darf ich|sag(?:en sie)?(?: mir)?(?: (?:einfach|gern|gerne|bitte|kurz))* bescheid|gib(?: mir)?(?: (?:einfach|gern|gerne|bitte|kurz))* bescheid|geben sie(?: mir)?(?: (?:einfach|gern|gerne|bitte|kurz))* bescheid|lass(?:en sie)?(?: es)? mich(?: gern| gerne)? wissen|melde? dich|melden sie sich|(?:wenn|falls|sofern) (?:du|sie|ich|noch|etwas)|gern(?:e)? (?:kann|passe|kürze|ändere|erstelle|schreibe|mache) ich|ich (?:kann|passe|kürze|ändere)|auf wunsch|bei bedarf|weitere|reicht das|passt das)\b",
        r"\b(?:änder\w*|kürz\w*|länger\w*|fassung|version|variante|anpass\w*|passe|ton|tonfall|stil|umformulier\w*|überarbeit\w*|ergänz\w*|formell\w*|locker\w*|ausführlich\w*|knapp\w*|förmlich\w*|anders)\b",
    ),
    "fr": _tongue(
        r"\b(?:prompts?|textes?|version|brouillon|consignes?|instructions?|formulation|contenu|structure|rédaction|tout|informations|infos|message|ce que je (?:vous |te )?propose)\b",
        r"\bj['’]ai\b.{0,40}\b(?:réorganis|restructur|réécri|retravaill|amélior|reformul|révis|clarifi|condens|simplifi|optimis|raccourci|regroup|réordonn|ordonn|class|corrig|allég|structur|remani|peaufin|organis|resserr|mis |rendu )\w*",
        r"\b(?:ci-dessous|ci-après|voici|voilà|suivante?|trouverez|trouveras|ce que je (?:vous |te )?propose)\b",
        r"\b(?:retravaill|révis|amélior|réécri|remani|nouvel|reformul|optimis|restructur|réorganis|clarifi|corrig|peaufin|remis)\w*|\bce que je (?:vous |te )?propose\b|\bma (?:proposition|version)\b",
        r"\b(?:j['’]ai|je n['’]ai|ont été|n['’]ont pas été|est|sont|restent)\b.*\b(?:conserv|gard|repris|inchang|modifi|préserv|laiss|supprim|ajout|chang)\w*",
        r"\b(?:souhaitez[- ]vous|souhaites[- ]tu|voulez[- ]vous|veux[- ]tu|préférez[- ]vous|préfères[- ]tu|préféreriez|désirez|n['’]hésit(?:ez|e)|dites[- ]moi|dis[- ]moi|faites[- ](?:le[- ])?moi|fais[- ](?:le[- ])?moi|si vous (?:le )?(?:souhaitez|voulez|désirez|préférez|avez)|si tu (?:le )?(?:veux|souhaites|préfères|as)|dois[- ]je|puis[- ]je|je peux|je reste|avez-vous besoin|besoin d|au besoin|envie d)",
        r"\b(?:version|court\w*|longue?|ton|ajust\w*|modifi\w*|adapt\w*|raccourc\w*|chang\w*|détaillé\w*|formel\w*|variante|retouch\w*|reformul\w*|disposition)\b",
    ),
    "es": _tongue(
        r"\b(?:prompts?|textos?|versi[oó]n|borrador|instrucciones|redacción|contenido|estructura|mensaje|todo|información|datos)\b",
        r"\b(?:(?:lo|la|los|las|te|le) )?(?:he|hemos) (?:\w+ )?(?:reorganiz|reescrit|mejorad|revisad|optimizad|reformulad|ordenad|estructurad|reestructurad|agrupad|aclarad|simplificad|condensad|acortad|pulid|corregid|redactad|adaptad|puesto|dejado|organizad|reelaborad|resumid|retocad)\w*|\b(?:reorganicé|reescribí|mejoré|revisé|reformulé|ordené|reestructuré|simplifiqué|pulí)\b",
        r"\b(?:a continuación|aquí|abajo|siguiente|est[ae] es|así quedaría|así queda|te dejo|le dejo|encontrará\w*)\b",
        r"\b(?:revisad|mejorad|reescrit|reorganizad|optimizad|nuev[oa]|corregid|pulid|reformulad|reelaborad|reestructurad|ordenad|retocad)\w*|\bmi propuesta\b|\blo que (?:yo )?(?:usaría|propongo)\b|\basí quedar?ía\b",
        r"\b(?:he|se han|se ha|no he|hemos)\b.*\b(?:conservad|mantenid|cambiad|dejad|respetad|añadid|quitad|modificad|eliminad|alterad)\w*",
        r"(?:\b(?:quieres|quiere|deseas|desea|te gustaría|le gustaría|prefieres|prefiere|necesitas|necesita|avís[ae]me|avísame|dime|dígame|házmelo|hágamelo|no dudes|no dude|puedo|podría|quisieras|te preparo|lo (?:hago|acorto|ajusto)|cualquier|solo (?:dime|pídelo))\b|\bsi (?:lo |la )?(?:quieres|deseas|prefieres|necesitas|desea|prefiere|necesita|hay)\b)",
        r"\b(?:cort[oa]s?|larg[oa]s?|cambi\w*|ajust\w*|versi[oó]n|tono|modific\w*|adapt\w*|acort\w*|formal|detallad\w*|breve|variante|retoqu\w*|más)\b",
    ),
    "it": _tongue(
        r"\b(?:prompt|test[oi]|versione|bozza|istruzioni|contenut[oi]|struttura|formulazione|tutto|informazioni|dati)\b",
        r"\b(?:l['’])?ho (?:\w+ )?(?:riorganizz|riscritt|migliorat|rivist|ottimizzat|riformulat|ordinat|strutturat|ristrutturat|raggruppat|chiarit|semplificat|condensat|accorciat|corrett|rielaborat|organizzat|riordinat|sistemat|snellit|reso|messo)\w*",
        r"\b(?:di seguito|qui sotto|ecco|sotto|seguente|questa è|questo è|troverà|trovi|trova)\b",
        r"\b(?:rivist|migliorat|riscritt|riorganizzat|ottimizzat|nuov[oa]|corrett|riformulat|rielaborat|ristrutturat|riordinat)\w*|\b(?:la mia proposta|quello che userei)\b",
        r"\b(?:ho|non ho|sono stat\w|è stat\w)\b.*\b(?:mantenut|conservat|lasciat|invariat|cambiat|modificat|aggiunt|tolt|rimoss)\w*",
        r"\b(?:vuoi|vuole|desideri|desidera|preferisci|preferisce|ti serve|le serve|fammi sapere|mi faccia sapere|dimmi|mi dica|se (?:vuoi|vuole|desideri|desidera|preferisci|serve|ti serve|hai bisogno)|posso|non esitare|non esiti|basta (?:dirlo|chiedere))\b",
        r"\b(?:brev\w*|cort\w*|lung\w*|modific\w*|cambi\w*|version\w*|tono|adatt\w*|accorci\w*|formale|dettagliat\w*|variante|ritocc\w*|aggiustament\w*)\b",
    ),
    "pt": _tongue(
        r"\b(?:prompts?|textos?|vers(?:ão|ões)|rascunho|instruç(?:ões|ão)|redação|conteúdo|estrutura|mensagem|tudo|informações|dados)\b",
        r"\b(?:reorganizei|reescrevi|melhorei|revisei|otimizei|reformulei|organizei|estruturei|agrupei|ajustei|simplifiquei|encurtei|ordenei|corrigi|aprimorei|resumi|refiz|deixei|reestruturei|clarifiquei|condensei|enxuguei|arrumei|retrabalhei|aperfeiçoei|tornei)\b",
        r"\b(?:abaixo|a seguir|segue|seguinte|aqui|eis|est[ae] é|fica assim|ficou assim|encontra\w*)\b",
        r"\b(?:revisad|revist|melhorad|reescrit|reorganizad|otimizad|nov[oa]\b|corrigid|aprimorad|reformulad|reestruturad|aperfeiçoad|retrabalhad)\w*|\b(?:minha (?:proposta|sugestão)|o que eu usaria)\b",
        r"\b(?:mantive|preservei|conservei|não (?:alterei|mudei|removi|acrescentei|mexi)|foram (?:mantid|preservad|conservad)\w+)\b",
        r"\b(?:quer|queres|querem|gostaria|deseja|prefere|preferes|precisa|precisas|me avise|avise-me|avisa-me|me avisa|me diga|diga-me|diz-me|me fale|é só (?:avisar|dizer|pedir|falar|me)|posso|fique à vontade|se (?:quiser|preferir|desejar|precisar|quiseres|precisares|houver)|qualquer)\b",
        r"\b(?:curt[oa]s?|long[oa]s?|mud\w+|ajust\w*|vers(?:ão|ões)|tom|alter\w+|adapt\w*|encurt\w*|formal|detalhad\w*|breve|modific\w*|resumid\w*|enxut\w*)\b",
    ),
    "tr": _tongue(
        r"\b(?:prompt\w*|metn\w*|metin\w*|sürüm\w*|versiyon\w*|tasla[kğ]\w*|talimat\w*|komut\w*|içeri[kğ]\w*|yapı(?:yı|sını|sı)?|her şeyi|bilgiler\w*)\b",
        r"\b(?:düzenle|yeniden yaz|yaz|geliştir|iyileştir|netleştir|sadeleştir|kısalt|grupla|topla|toparla|yapılandır|gözden geçir|getir|sırala|ayır|düzelt|hazırla|revize et|optimize et|elden geçir|böl)\w{0,3}(?:dim|dım|dum|düm|tim|tım|tum|tüm)\b",
        r"\b(?:aşağıda\w*|işte|şöyle|buyurun|karşınızda|bu şekilde)\b",
        r"\b(?:gözden geçir\w+|düzenlen\w+|yeniden yaz\w+|iyileştiril\w+|geliştiril\w+|yeni|güncel\w*|sadeleştiril\w+|revize|düzeltil\w+|toparlan\w+|önerim|elden geçir\w+|hali|halini)\b",
        r"\b(?:korudum|değiştirmedim|bıraktım|aynen aldım|eklemedim|çıkarmadım|(?:korunmuş|değiştirilmemiş)tir|korundu|değiştirilmedi)\b",
        r"\b(?:ister mi\w*|istersen\w*|isterse\w*|diler mi\w*|dilerse\w*|söyle(?:yin|yebilir\w*|meniz|mekten|)|bildir\w*|haber ver\w*|yazmanız|yeterli|arzu ede\w*|gerekirse|gerekiyorsa|lazımsa|\w+(?:yım|yim|ayım|eyim) m[ıi]|\w+(?:abilirim|ebilirim)|ihtiyacınız|çekinmeyin|tercih eder\w*)\b",
        r"\b(?:kısa\w*|uzun\w*|sürüm\w*|versiyon\w*|değişiklik\w*|değiştir\w*|ton\w{0,4}|üslu[pb]\w*|düzenle\w*|uyarla\w*|resmi\w*|ayrıntılı|sade\w*|düzeltme\w*)\b",
    ),
    "ru": _tongue(
        r"\b(?:текст\w*|промпт\w*|верси\w+|вариант\w*|черновик\w*|инструкци\w+|формулировк\w+|описани\w+|содержани\w+|структур\w+|вс[её]|данные|информаци\w+)\b",
        r"\b(?:структурировал|переписал|улучшил|доработал|переработал|отредактировал|оптимизировал|упорядочил|сгруппировал|прив[её]л|сократил|переформулировал|уточнил|реорганизовал|разбил|сделал|собрал|разделил|исправил|систематизировал|причесал|подготовил|оформил)а?\b",
        r"\b(?:ниже|вот|следующ\w+|представлен\w*|прив[её]ден\w*|перед вами|так бы я)\b",
        r"\b(?:переработан\w*|улучшен\w*|отредактирован\w*|доработан\w*|обновл[её]нн?\w*|нов(?:ая|ый|ую)|исправлен\w*|итогов\w*|готов(?:ая|ый)|переписан\w*|структурирован\w*|мой вариант|упорядоченн\w*)\b",
        r"\b(?:(?:сохранил|оставил|не менял|не изменил|не изменял|не убирал|не добавлял|не удалял|перен[её]с)а?|(?:сохранены|не изменены|оставлены|перенесены))\b",
        r"(?:\b(?:хотите|хочешь|желаете|нужн[аоы]?|нужен|дайте знать|дай знать|сообщите|напишите|скажите|скажи|могу|готова?|сделать ли|обращайтесь|при необходимости|требуется)\b|\bесли (?:хотите|нужно|потребуется|понадобится|что-то|захотите|требуется|есть))",
        r"\b(?:коротк\w*|короче|длинн\w*|длиннее|верси\w+|вариант\w*|измен\w+|поправ\w+|правк\w+|доработ\w+|тон|тона|сократ\w+|подробн\w+|адаптир\w+|скоррект\w+|официальн\w+|стил\w+)\b",
    ),
    "ar": _tongue(
        r"(?:النص|نص|الموجه|البرومبت|التعليمات|تعليمات|النسخة|نسخة|المسودة|الصياغة|المحتوى|صياغة|المعلومات|كل شيء)",
        r"(?:\b(?:لقد )?(?:أعدت|اعدت|رتبت|نظمت|نقحت|حسنت|راجعت|عدلت|صغت|اختصرت|بسطت|جمعت|هذبت|طورت|قسمت|وضحت)\b|قمت ب(?:إعادة|تحسين|ترتيب|تنظيم|صياغة|تنقيح|مراجعة|تعديل|تبسيط|اختصار|تهذيب))",
        r"(?:فيما يلي|إليك|اليك|أدناه|هذه هي|هذا هو|هذه|هذا|تجد|التالي|كالتالي)",
        r"(?:منقح|محسن|معدل|معاد|الجديد|جديدة|المطور|النهائي|المرتب|مرتبة|المراجع|المهذب|مراجعة)",
        r"(?:حافظت|أبقيت|احتفظت|لم أغير|لم أعدل|لم أحذف|لم أضف|تركت)",
        r"(?:هل (?:تريد|ترغب|تود|تفضل|تحتاج)|أخبرني|اخبرني|أعلمني|(?:إن|إذا|لو|اذا) (?:أردت|رغبت|احتجت|كنت|أحببت|كان)|يمكنني|بإمكاني|أستطيع|يسعدني|لا تتردد|يرجى|عند الحاجة)",
        r"(?:أقصر|أطول|مختصر|نسخة|تعديل|تغيير|اختصار|نبرة|رسمي|إضافات|تفصيل|صياغة)",
    ),
    "fa": _tongue(
        r"(?:متن|پرامپت|نسخه|پیش ?نویس|دستورالعمل|محتوا|نوشته|ساختار|همه چیز|اطلاعات)",
        r"(?:مرتب|بازنویسی|ویرایش|اصلاح|بهتر|منظم|خلاصه|کوتاه|ساده|دسته ?بندی|روشن|شفاف|بازآرایی|بهینه|سازمان ?دهی|تنظیم|بهبود|واضح|خوانا)\S*(?: ?تر)?.{0,20}?(?:کردم|کرده ام|نوشتم|دادم|داده ام)|بازنوشتم",
        r"(?:در ادامه|در زیر|زیر|این|اینجا|ملاحظه|آمده است)",
        r"(?:بازنویسی|ویرایش|اصلاح|بهبود|جدید|مرتب|نهایی|بهینه|بازبینی|پیشنهاد من)",
        r"(?:نگه داشتم|حفظ کردم|حفظ کرده ام|تغییر ندادم|دست نزدم|حذف نکردم|نگه داشته ام|تغییری ندادم|اضافه نکردم)",
        r"(?:می ?خواهید|می ?خواهی|مایلید|دوست دارید|ترجیح می ?دهید|نیاز دارید|لازم دارید|لازم است|خواستید|داشتید|اگر|بگویید|بفرمایید|اطلاع دهید|خبر دهید|می ?توانم|در صورت)",
        r"(?:کوتاه|بلندتر|نسخه|تغییر|ویرایش|اصلاح|لحن|رسمی|مفصل|خلاصه)",
    ),
    "he": _tongue(
        r"(?:טקסט|פרומפט|גרסה|גירסה|טיוטה|הנחיות|נוסח|תוכן|ניסוח|המידע|הכול|הכל|הפרטים)",
        r"(?:סידרתי|סדרתי|שכתבתי|שיפרתי|ערכתי|ניסחתי|ארגנתי|קיצרתי|חידדתי|הבהרתי|קיבצתי|מיינתי|עיצבתי|תיקנתי|ליטשתי|פישטתי|עדכנתי|ריכזתי|חילקתי)",
        r"(?:להלן|הנה|למטה|בהמשך|זוהי|זהו|זו ה|זה ה|לפניך|לפניכם|מצורפ|מצורף|כך הייתי)",
        r"(?:משופר|משוכתב|ערוכ|ערוך|חדש|מעודכנ|מעודכן|מתוקנ|מתוקן|מסודר|מחודש|סופי|ההצעה שלי|מלוטש)",
        r"(?:שמרתי|השארתי|לא שיניתי|לא נגעתי|לא הוספתי|לא הסרתי|לא השמטתי)",
        r"(?:רוצה|רוצים|תרצה|תרצי|תרצו|האם|אשמח|אם (?:תרצה|תרצו|יש|צריך|נדרש|תרצי)|ספר לי|ספרו לי|תגיד לי|אמור לי|הודיע|הודע|אפשר|אוכל|צריכים|צריך|מעוניינ|מעדיפ|לבקש)",
        r"(?:קצר|ארוכ|ארוך|גרסה|גירסה|שינוי|לשנות|תיקונ|תיקון|התאמ|להתאים|לקצר|לערוך|טון|רשמי|מפורט|נוסח|אקצר)",
    ),
    "hi": _tongue(
        r"(?:पाठ|प्रॉम्प्ट|संस्करण|मसौद|निर्देश|टेक्स्ट|सामग्री|प्रारूप|विवरण|सब कुछ|जानकारी|बातों)",
        r"मैंने.{0,80}(?:व्यवस्थित|सुधार|बेहतर|दोबारा|फिर से|स्पष्ट|संक्षिप्त|संपादित|पुनर्गठित|लिख|संशोधित|छोटा|सरल|समूह|बाँट|बांट|सजा|सँवार).{0,30}(?:किया|दिया|दी|की|लिखा|बनाया|कर|है)",
        r"(?:नीचे|यह रहा|यह रही|यह है|ये रहा|यहाँ|यहां|निम्न|लीजिए|प्रस्तुत)",
        r"(?:संशोधित|सुधार|सुधरा|बेहतर|नया|नई|व्यवस्थित|पुनर्लिखित|दोबारा|अंतिम|परिष्कृत|संपादित)",
        r"मैंने.{0,80}(?:वैसे ही|वैसी ही|ज्यों|नहीं बदल|बरकरार|रखा|रखी|रखे|बदलाव नहीं)",
        r"(?:क्या आप|चाहते|चाहेंगे|चाहती|चाहिए|चाहें|बताइए|बताएँ|बताएं|बता दें|बताइएगा|कहिए|कहें|हो तो|यदि|अगर|क्या मैं|सकता हूँ|सकती हूँ|बेझिझक)",
        r"(?:छोट|संक्षिप्त|लंब|संस्करण|बदलाव|सुधार|परिवर्तन|संशोधन|लहज|औपचारिक|विस्तृत)",
    ),
    "zh": _tongue(
        r"(?:内容|文本|提示词|提示|指令|版本|文字|草稿|说明|结构|表述|措辞|全文|信息|您的|你的)",
        r"(?:我|已|帮您|帮你|为您|为你|替您).{0,12}(?:整理|优化|改写|重写|润色|改进|完善|梳理|精简|修改|调整|归类|编排|组织|简化|缩短|分类)",
        r"(?:以下|下面|这是|如下|这就是|请看|请见)",
        r"(?:修改|优化|改写|整理|改进|润色|重写|调整|更新|完善|精简|新版|梳理|我的建议|修订)",
        r"(?:我.{0,6}(?:保留|没有改|未改|没改|没有删|没有更改|未更改|未作改动)|(?:均|都|已)(?:保留|保持|未作))",
        r"(?:需要|要不要|是否|想要|想|如需|如果|若|如有|可以告诉我|请告诉我|告诉我|随时|我可以|吗|欢迎)",
        r"(?:更短|短一|短些|短的|更长|长一|版本|修改|调整|改动|缩短|精简|语气|正式|简洁|详细|更改|改短)",
    ),
    "ja": _tongue(
        r"(?:内容|文章|プロンプト|指示|版|バージョン|文面|テキスト|下書き|構成|表現|情報|全体|ご案内文)",
        r"(?:整理|改善|書き直|修正|見直|最適化|まとめ|推敲|整え|編集|短縮|分類|リライト|簡潔に|わかりやすく|分かりやすく|読みやすく|構造化).{0,6}(?:しました|ました|いたしました|みました)",
        r"(?:以下|下記|こちら|次の|次が)",
        r"(?:改善|修正|整理|書き直|改良|最適化|リライト|新し|改訂|推敲|調整|見直|ご提案)",
        r"(?:そのまま|変更して(?:い|お)|変えて(?:い|お)|残し(?:て|ま)|維持し|保持し)",
        r"(?:必要|でしょうか|ますか|ですか|ましょうか|ご希望|お知らせ|教えて|お申し付け|おっしゃって|いかが|あれば|でしたら|お気軽|可能です|いたします|できます)",
        r"(?:短い|短く|もっと短|長い|長く|版|バージョン|変更|修正|調整|トーン|口調|詳し|簡潔|丁寧な|カジュアル)",
    ),
    "ko": _tongue(
        r"(?:내용|프롬프트|버전|글|텍스트|초안|지시문|문구|구성|정보|모든)",
        r"(?:정리|개선|수정|재구성|편집|요약|최적화|구조화|재작성|다시 작성|분류)\S{0,4}(?:했습니다|하였습니다|드렸습니다|해 ?보았습니다|해 ?봤습니다)|다듬었습니다|고쳤습니다|묶었습니다",
        r"(?:다음은|아래는|아래에|여기|다음과)",
        r"(?:수정|개선|정리|새|다듬은|재작성|최적화|편집|업데이트|재구성)",
        r"(?:그대로 (?:두|유지|남)|변경하지 않|바꾸지 않|유지했)",
        r"(?:원하시|필요하|드릴까요|할까요|말씀해|알려 ?주|있으시면|있으면|언제든)",
        r"(?:짧은|짧게|더 짧|긴|길게|버전|수정|변경|조정|어조|톤|격식|자세)",
    ),
}


def reports(sentence: str) -> bool:
    """Say whether its speaker rewrote a text: "I've tightened the wording and grouped the facts"."""
    return _any(sentence, "did", "text")


def points_below(sentence: str) -> bool:
    """Say whether a revised text is said to follow: "Below you'll find the reworked version"."""
    return _any(sentence, "below", "revised", "text")


def offers(sentence: str) -> bool:
    """Say whether the reader is asked if the text should be otherwise: "Shall I shorten it further?"."""
    return _any(sentence, "asks", "change")


def reassures(sentence: str) -> bool:
    """Say whether its speaker kept what was there: "I kept every price as you wrote it"."""
    return _any(sentence, "kept")


def _any(sentence: str, *classes: str) -> bool:
    if len(sentence) > LONGEST or OURS.search(sentence):
        return False
    return any(all(getattr(tongue, each).search(sentence) for each in classes) for tongue in TONGUES.values())
