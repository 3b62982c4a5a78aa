"""What models say to a draft's owner beside a prompt: courtesies, reports on the rewrite, offers of more of it.

Owns the words of many languages; what is cut away is decided in answer_shape.py.
"""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re

from generation import talk

LONGEST_REMARK = 400  # characters
SENTENCE = re.compile(r"[^.!?。！？؟।\n]+[.!?。！？؟।\n]*")
PREFIX = re.compile(
    r"(?:\W{0,6}(?:note|please note|hinweis|anmerkung|nota|remarque|note bene|observação|obs|not|примечание|ملاحظة|توجه|نکته|הערה|नोट|ध्यान दें|注|备注|说明|注意|補足|備考|참고)\W{0,4}[:：]\W{0,4})",
    re.IGNORECASE,
)
EDGES = " \t\n#*_>-–—:：.!¡¿?。！？؟،,()~"

# One sentence that says nothing but yes: "Sure!", "Certainly! Here you go:".
COURTESY = re.compile(
    r"(?:sure(?: thing)?|certainly|of course|absolutely|definitely|great|got it|understood|okay|ok|alright|no problem|gladly|with pleasure|here (?:you go|it is|is the result)|done|thank you|thanks(?: for (?:sharing|providing)(?: (?:your|the) (?:draft|prompt|text|details|instructions))?)?|you(?: are|['’]re) welcome"
    r"|klar|na klar|gern(?:e)?|natürlich|selbstverständlich|alles klar|sicher|verstanden|kein problem|hier ist das ergebnis|bitte(?: schön| sehr)?|danke|vielen dank|viel erfolg"
    r"|claro(?: que sí)?|por supuesto|desde luego|con gusto|entendido|aquí (?:tienes|está)|gracias|muchas gracias"
    r"|bien sûr|certainement|avec plaisir|d['’]accord|compris|voici|voilà|merci"
    r"|certo|certamente|volentieri|ecco(?:lo)?|va bene|d['’]accordo|con piacere|grazie"
    r"|com certeza|claro que sim|com prazer|aqui está|pronto|obrigad[oa]"
    r"|tabii(?: ki)?|elbette|memnuniyetle|tamam|işte|teşekkürler"
    r"|конечно|разумеется|с удовольствием|хорошо|готово|понятно|спасибо|вот результат"
    r"|بالتأكيد|بالطبع|بكل سرور|حسنا|تفضل|شكرا|حتما|البته|بله|با کمال میل|چشم|بفرمایید|ممنون"
    r"|בטח|כמובן|בשמחה|בהחלט|הנה|בבקשה|תודה"
    r"|ज़रूर|जरूर|बिल्कुल|अवश्य|ठीक है|धन्यवाद"
    r"|好的|当然(?:可以)?|當然|没问题|可以|明白了?|收到|谢谢"
    r"|もちろんです|承知(?:いた)?しました|かしこまりました|はい|わかりました|了解しました"
    r"|물론(?:입니다|이죠)|네|알겠습니다|좋습니다)",
    re.IGNORECASE,
)

# The first person who rewrote it, in the past: "I've rewritten your prompt to be clearer", "J'ai retravaillé votre prompt".
DONE = re.compile(
    r"(?:i(?:['’]ve| have)?|let['’]?s|let us) (?:also |now |just )?(?:rewritten|rewrote|improved?|revised?|refined?|enhanced?|optimi[sz]ed?|reorgani[sz]ed?|restructured?|polished?|reworked|updated|cleaned up|made?|turned?) (?:your |the |this )(?:[^\W\d_]+ ){0,3}(?:prompt|instructions?|draft|text|version|wording)\b.{0,120}"
    r"|ich habe (?:deinen|ihren|den|deine|ihre|die) .{1,80}\b(?:überarbeitet|umgeschrieben|verbessert|optimiert|gegliedert|strukturiert|formuliert)"
    r"|he (?:reescrito|mejorado|revisado|optimizado|reorganizado|reformulado) (?:tu|su|el|las?|tus|sus) .{1,100}"
    r"|j['’]ai (?:réécrit|retravaillé|amélioré|révisé|optimisé|reformulé|restructuré) (?:votre|ton|le|la|les|vos|tes) .{1,100}"
    r"|ho (?:riscritto|migliorato|rivisto|ottimizzato|riorganizzato|rielaborato) (?:il|la|le|i) .{1,100}"
    r"|(?:eu )?(?:reescrevi|melhorei|revisei|otimizei|reorganizei|reformulei) (?:o|a|as|os|seu|sua) .{1,100}"
    r"|(?:promptunu|komutunu|talimatlarını|istemini|promptu)\w* .{0,80}(?:yazdım|düzenledim|geliştirdim|iyileştirdim|netleştirdim)"
    r"|я (?:переписал|улучшил|доработал|переработал|отредактировал|оптимизировал)а? (?:ваш|твой|этот|ваши|твои)?.{1,100}"
    r"|لقد (?:أعدت|قمت|حسنت|طورت) .{0,40}(?:الموجه|البرومبت|التعليمات|النص).{0,80}|(?:پرامپت|دستورالعمل|متن)\S* ?(?:شما|تان)? ?را .{0,80}(?:کردم|نوشتم|دادم)"
    r"|(?:שכתבתי|שיפרתי|ערכתי|ניסחתי|ארגנתי) .{0,30}(?:הפרומפט|ההנחי|הטקסט|הניסוח).{0,80}"
    r"|मैंने .{0,20}(?:प्रॉम्प्ट|निर्देश)\S*.{0,80}(?:दिया|दी|किया|लिखा|बनाया).{0,10}"
    r"|(?:我)?已(?:经)?(?:为|替|帮|将|把|对)?(?:您|你)?.{0,12}(?:优化|改写|重写|整理|润色|改进|完善).{0,12}(?:提示词|提示|指令|内容|版本)?.{0,20}"
    r"|(?:プロンプト|指示文?|文章)を.{0,24}(?:書き直し|改善し|修正し|整理し|見直し|最適化し)(?:まし)た"
    r"|(?:프롬프트|지시문)(?:를|을) .{0,24}(?:작성|수정|개선|정리|다듬)\S*",
    re.IGNORECASE,
)

# More work offered on the text, or asked whether there is more to do.
OFFERS = re.compile(
    r"(?:and |or |also |please |just |if you(?:['’]d)? (?:like|want|prefer|wish|need)(?: to)?,? )*(?:"
    r"(?:review .{0,30}and )?(?:let me know|tell me|just say(?: so)?)\b(?: (?:if|whether|what|how|when|should|once)\b.{0,100}"
    r"(?:adjust|chang|tweak|refin|edit|anything|different|add|miss|shorter|longer|tone|version|modif|tailor|adapt|revis|expand|think|wording).{0,80})"
    r"|(?:would you like|do you want|want|shall|should|could|can|may) (?:me|i)\b.{0,100}(?:adjust|chang|tweak|refin|edit|anything|shorte|longer|tone|version|modif|tailor|adapt|revis|expand|translat|add|make (?:it|this)).{0,80}"
    r"|(?:would you like|do you want|want) (?:a|an|another|it|this|the) .{0,40}(?:version|tone|style|variant|format|shorter|longer)\b.{0,40}"
    r"|i (?:can|could|['’]ll|will) (?:also |then |always |further |gladly |happily )*(?:adjust|change|tweak|refine|edit|create|make|write|provide|give|tailor|adapt|revise|expand|shorten|translate|add|produce)\b.{0,60}\b(?:it|this|prompt|versions?|tone|text|variants?|wording|draft|style|format|examples?|further|more)\b.{0,60}"
    r"|(?:i(?:['’]m| am|['’]d be| would be) |always )*(?:happy|glad) to (?:adjust|chang|tweak|refin|edit|tailor|adapt|revis|expand|iterat|help|mak)\w*.{0,80}"
    r"|feel free to (?:adjust|change|tweak|refine|edit|tailor|adapt|revise|modify|customi[sz]e)\b.{0,24}\b(?:tone|wording|prompt|text|it|this|style|length|sections?|as needed|further|details?)\b.{0,80}"
    r"|(?:is there )?any(?:thing)?(?: else)?\b.{0,40}(?:me to|i should) (?:change|adjust|add|tweak|refine|do|edit|modify).{0,40})"
    r"|(?:sag|sagen sie|gib|geben sie|lass|lassen sie|melde dich|melden sie sich)\b.{0,30}(?:bescheid|wissen|mir|gern)?\b.{0,20}\b(?:wenn|falls|ob)\b.{0,80}(?:änder|anpass|fehl|kürz|ergänz|ton|wünsch).{0,40}"
    r"|(?:soll|möchte[sn]t?|wünsch\w+|willst|wollen|darf)\b.{0,30}\b(?:ich|mich)\b.{0,80}(?:änder|anpass|kürz|ergänz|ton\b|umschreib|überarbeit|fassung|version|läng).{0,40}"
    r"|(?:wenn|falls|auf wunsch|bei bedarf|gern|ich kann).{0,40}(?:kann ich|ich|schreibe ich|passe ich)\b.{0,60}(?:änder|anpass|kürz|kürzere|ergänz|fassung|version|ton\b|umschreib|schreib).{0,40}"
    r"|(?:avís|dime|hazme(?:lo)? saber|házmelo saber|no dudes en).{0,40}(?:cambi|ajust|modific|algo (?:más|falta)|tono|versión).{0,60}|¿?(?:quieres|quiere|deseas|desea|te gustaría|le gustaría) (?:que )?(?:(?:lo|la|te|le|los|una)\b).{0,60}(?:cort|larg|tono|ajust|cambi|versión|adapt|formal).{0,40}"
    r"|(?:si (?:lo )?(?:deseas?|quieres|prefieres|necesitas|prefiere|quiere),? )?(?:también )?(?:puedo|podría) .{0,30}(?:ajust|adapt|cambi|acort|hacer|crear|modific|escrib).{0,60}"
    r"|(?:dites|dis)-moi .{0,40}(?:ajust|modifi|chang|adapt|raccour|manque).{0,40}|(?:souhaitez|voulez|veux|souhaites)[- ](?:vous|tu).{0,60}(?:version|court|long|ton\b|ajust|modifi|adapt|raccour).{0,40}|(?:si vous le souhaitez,? )?je peux (?:aussi |également )?.{0,20}(?:adapt|ajust|modifi|raccour|chang|proposer).{0,80}"
    r"|fammi sapere .{0,60}(?:modific|cambi|adatt|aggiun|manca).{0,40}|(?:vuoi|desideri|preferisci) che (?:lo|la|io|ne|ti).{0,40}(?:brev|lung|tono|modific|cambi|adatt|version).{0,40}|(?:se vuoi,? |se preferisci,? )?(?:posso|potrei) (?:anche )?.{0,20}(?:adatt|modific|cambi|accorc|render|crear|scriv).{0,60}"
    r"|(?:me avise|avise-me|me diga|diga-me) .{0,40}(?:ajust|mud|alter|falt|modific).{0,40}|(?:quer|gostaria|deseja|prefere) que eu .{0,40}(?:curt|long|tom\b|ajust|mud|alter|adapt|vers|deix).{0,40}|(?:se (?:quiser|preferir|desejar),? )?(?:também )?(?:posso|poderia) .{0,20}(?:adapt|ajust|mud|alter|encurt|criar|fazer|escrev).{0,60}"
    r"|.{0,60}(?:isterseniz|istersen|dilerseniz|gerekirse|gerekiyorsa).{0,40}(?:bana bildir|haber ver|söyle|değiştirebilirim|kısaltabilirim|uyarlayabilirim|yapabilirim|düzenleyebilirim|ekleyebilirim).{0,20}|.{0,60}(?:getirme|kısaltma|değiştirme|uyarlama|düzenleme|ekleme|yazma|yapma)mı (?:ister mi|isterse).{0,20}"
    r"|(?:дайте знать|сообщите|напишите|скажите),? .{0,20}(?:если|что).{0,40}(?:измен|поправ|доработ|добав|скоррект).{0,40}|(?:хотите|нужно ли|желаете),? .{0,20}(?:чтобы я|мне).{0,60}|(?:если (?:хотите|нужно|потребуется),? )?(?:я )?(?:могу|готов) (?:также |ещё )?.{0,20}(?:адаптир|измен|сократ|доработ|сделать|подготов|поменя).{0,60}"
    r"|(?:أخبرني|يرجى إعلامي|أعلمني) .{0,60}(?:تعديل|تغيير|إضافة).{0,40}|هل (?:تريد|ترغب|تود) .{0,20}(?:أن أ|في أن أ|مني).{0,60}|(?:إذا رغبت،? )?(?:يمكنني|بإمكاني|أستطيع) (?:أيضا )?.{0,40}(?:تغيير|تعديل|تقصير|تكييف|إعداد|كتابة).{0,60}"
    r"|اگر .{0,60}(?:تغییر|ویرایش|اصلاح|لازم).{0,40}(?:بگویید|اطلاع دهید|بفرمایید).{0,10}|.{0,20}(?:می خواهید|مایلید|دوست دارید) .{0,50}(?:کنم|بنویسم|بدهم|دهم).{0,10}|.{0,30}(?:می توانم) .{0,60}"
    r"|(?:ספר לי|ספרי לי|אמור לי|תגיד לי|הודע לי|עדכן אותי) (?:אם|מה).{0,30}(?:שינוי|לשנות|לתקן|להוסיף|תיקונ).{0,30}|(?:האם )?(?:תרצה|תרצי|רוצה|תרצו) ש(?:אקצר|אשנה|אתאים|אוסיף|אערוך|אכתוב|אעשה).{0,40}|(?:אם תרצה,? )?(?:אני )?(?:יכול|יכולה|אוכל|אשמח) (?:גם )?(?:לשנות|להתאים|לקצר|להוסיף|לערוך|לכתוב).{0,40}"
    r"|(?:अगर|यदि) .{0,50}(?:बदलाव|सुधार|परिवर्तन|संशोधन).{0,30}(?:बताइए|बताएँ|बताएं|कहें|बता दें).{0,10}|(?:क्या आप (?:चाहेंगे|चाहते हैं|चाहेंगी) कि मैं|क्या मैं) .{0,80}|(?:अगर आप चाहें तो )?मैं .{0,50}(?:सकता हूँ|सकती हूँ).{0,5}"
    r"|(?:如需|若需|如果(?:您|你)?(?:需要|想|希望)|如有).{0,20}(?:调整|修改|更改|优化|改动|补充|调整需求).{0,30}|(?:需要|要不要|是否需要|想要|要)我.{0,24}(?:改|调整|缩短|精简|补充|润色|写|换|做成).{0,12}|我(?:也|还)?可以.{0,30}(?:改|调整|缩短|精简|补充|润色|换|做成).{0,20}"
    r"|.{0,30}(?:修正|変更|調整|ご要望|ご希望|追加).{0,16}(?:お知らせください|お申し付けください|教えてください|ご連絡ください|おっしゃってください|いたします|可能です).{0,6}|.{0,30}(?:ましょうか|しますか|いたしましょうか).{0,3}"
    r"|.{0,30}(?:수정|변경|조정|추가).{0,20}(?:말씀해|알려) ?주(?:세요|십시오).{0,5}|.{0,30}(?:드릴까요|해드릴까요|할까요).{0,3}",
    re.IGNORECASE,
)

HOPES = re.compile(
    r"(?:i )?hope (?:this|it|that)\b.{0,14}(?:helps?|works?|useful|helpful|fits?|suits?|meets your \w+|serves? you|what you \w+ \w+)(?: well| you| out| for you(?:r \w+)?)?|enjoy(?: using it)?|good luck.{0,40}"
    r"|(?:ich )?hoffe,? (?:das|dies|es|die|der)\b.{0,60}(?:hilf|gefäll|passt|nütz|entspricht|weiter).{0,20}|espero que (?:te|le|les|esto|sea)\b.{0,60}|j['’]espère que .{0,60}|spero che .{0,60}|espero que .{0,60}"
    r"|umarım .{0,40}(?:yara|yardımcı|beğen|olur|karşılar).{0,20}|надеюсь,? .{0,60}|(?:آمل|أتمنى) أن .{0,60}|امیدوارم .{0,60}|(?:אני )?מקווה ש.{0,60}|(?:आशा|उम्मीद) है .{0,60}"
    r"|希望(?:这|對|对|能).{0,30}|.{0,20}(?:お役に立て|参考になれ)ば.{0,16}|.{0,30}도움이 되.{0,16}",
    re.IGNORECASE,
)

# All is as it was, or where to put it: reports on the text itself.
STATED = re.compile(
    r"(?:i(?:['’]ve| have)? |(?:all|every|the|your|no) ).{0,60}(?:facts?|details?|names?|numbers?|information|data|placeholders?|content|wording|values)\b.{0,60}(?:(?:kept|preserved|retained|left|remain\w*|maintained)\b.{0,40}\b(?:exactly|original|draft|as (?:given|written|provided|they|you|is)|unchanged|intact)\b.{0,40}|(?:preserved|retained|unchanged|intact|untouched)\b.{0,30}|(?:are|were|was|is|been) kept)"
    r"|i(?:['’]ve| have)? (?:kept|preserved|retained|left) (?:all|every|the|your) .{0,120}|(?:this|the) (?:new |revised |improved |rewritten )?(?:version|prompt|rewrite|revision) (?:is|now|keeps|makes|should|provides|ensures|preserves|adds|organi[sz]es)\b.{0,200}"
    r"|(?:you can |just |simply |now )*(?:copy|paste)\b.{0,30}\b(?:this|it)\b.{0,30}\b(?:directly|as is|prompt|assistant|settings|chatbot|bot|system|tool|ai|chatgpt|gemini)\b.{0,50}"
    r"|(?:ich habe )?(?:alle|sämtliche|keine) .{0,50}(?:angaben|fakten|zahlen|daten|informationen|details)\b.{0,40}(?:unverändert|übernommen|beibehalten|erhalten|verändert).{0,30}"
    r"|(?:se han |he |todos los |todas las ).{0,60}(?:datos|hechos|información|detalles|nombres|cifras).{0,60}(?:conserv|manten|original|sin cambios).{0,40}|(?:se han|he) (?:conservado|mantenido) .{0,80}"
    r"|(?:toutes les|tous les|j['’]ai) .{0,60}(?:informations|données|faits|détails|chiffres|noms).{0,40}(?:conserv|inchang|repris|gard).{0,40}"
    r"|(?:tutti i|tutte le|ho) .{0,60}(?:dati|fatti|informazioni|dettagli).{0,40}(?:mantenut|conservat|invariat).{0,30}|(?:todos os|todas as|mantive) .{0,60}(?:dados|fatos|informações|detalhes).{0,40}(?:mantid|preservad|inalterad|originais).{0,30}"
    r"|(?:tüm|bütün) .{0,30}(?:bilgiler|veriler|ayrıntılar).{0,40}(?:korun|değiştirilme|aynen).{0,30}|все .{0,30}(?:данные|факты|сведения|детали|цифры).{0,40}(?:сохранен|без изменений|не изменен).{0,30}"
    r"|.{0,20}(?:جميع|كل) (?:المعلومات|البيانات|الحقائق|التفاصيل|الأرقام).{0,40}(?:كما هي|دون تغيير|الحفاظ)?.{0,20}|(?:همه|تمام|کلیه)\S* .{0,20}(?:اطلاعات|داده|جزئیات|اعداد).{0,30}(?:حفظ|بدون تغییر).{0,20}"
    r"|כל (?:הפרטים|הנתונים|העובדות|המידע).{0,20}(?:נשמר|ללא שינוי|כפי ש).{0,20}|(?:सभी|सारी) .{0,20}(?:जानकारी|तथ्य|विवरण).{0,30}(?:रखी गई|रखे गए|बरकरार|अपरिवर्तित|सुरक्षित).{0,20}"
    r"|(?:所有|全部)(?:信息|事实|数据|内容|资料|细节)(?:均|都|已)?.{0,12}(?:不变|保留|保持).{0,10}|(?:すべて|全て|全)の?(?:情報|事実|数値|データ|内容).{0,16}(?:そのまま|維持|保持|変更して).{0,16}"
    r"|(?:모든|전체) (?:정보|사실|내용|데이터|수치).{0,16}(?:그대로|유지|변경).{0,16}",
    re.IGNORECASE,
)

# Whom an assistant serves or works with: such a sentence is said to the assistant.
OTHERS = re.compile(
    r"\b(?:guests?|customers?|clients?|callers?|patients?|visitors?|staff|colleagues?|employees?|managers?|users?|gast|gäste[n]?|kund\w+|anrufer\w*|patient\w*|kolleg\w+|mitarbeiter\w*|clientes?|huéspedes|empleados?|clients?|collègue\w*|ospiti|clienti|colleghi|funcionári\w+|müşteri\w*|misafir\w*|çalışan\w*)\b"
    r"|клиент|гост[яьюе]|гостей|сотрудник|العميل|العملاء|الضيف|موظف|مشتری|مهمان|همکار|לקוח|אורח|נציג|ग्राहक|मेहमान|कर्मचारी|客人|顾客|客户|同事|员工|お客|担当|スタッフ|고객|손님|직원",
    re.IGNORECASE,
)

# A heading that a prompt may have as well: only what stands under it tells.
BARE_HEADING = re.compile(
    r"(?:the )?(?:changes?|notes?|remarks?|comments?|explanation|rationale|summary)(?: summary| log)?|änderungen|hinweise?|anmerkungen?|erläuterung(?:en)?|cambios|notas?|explicación|modifications|changements|remarques?|explications?|modifiche|cambiamenti|note|spiegazione"
    r"|mudanças|alterações|observações|explicação|değişiklikler|notlar|açıklama|изменения|примечания?|пояснени[ея]|التغييرات|ملاحظات|التعديلات|تغییرات|توضیحات|نکات|שינויים|הערות|הסבר|बदलाव|परिवर्तन|टिप्पणी|नोट"
    r"|修改|说明|备注|变更|调整|変更点?|補足|備考|修正点|변경 ?사항|수정 ?사항|참고|설명",
    re.IGNORECASE,
)
ABOUT_TEXT = re.compile(
    r"\b(?:roles?|structured?|group(?:ed|ing)|clear(?:er|ly)?|clarity|wording|reorgani[sz]ed|reworded|original|draft|facts|tone|concise|sections?|headings?|readab\w+|prompt|instructions?|redundan\w+|consolidated|i (?:added|kept|merged|moved|made|removed))\b"
    r"|\b(?:rolle|struktur\w*|gebündelt|gruppiert|klarer?e?|klarheit|gegliedert|entwurf|original|abschnitte?|lesbar\w*|ton|anweisungen|zusammengefasst)\b|\b(?:rol|estructura\w*|agrupad\w+|clar[oa]s?|claridad|borrador|secciones|tono|instrucciones)\b"
    r"|\b(?:rôle|structur\w+|regroupé\w*|clairs?|claire?s?|clarté|brouillon|sections|ton|consignes)\b|\b(?:ruolo|struttura\w*|raggruppat\w+|chiar[oaie]|chiarezza|bozza|sezioni|tono|istruzioni)\b"
    r"|\b(?:papel|estrutura\w*|agrupad\w+|clar[oa]s?|clareza|rascunho|seções|tom|instruções)\b|\b(?:rol|yapı\w*|gruplan\w+|net|netleş\w*|taslak|bölüm\w*|üslup|ton|talimat\w*)\b|(?:роль|структур|сгруппиров|чётк|четк|ясн|черновик|раздел|тон\b|инструкц)"
    r"|(?:دور واضح|الدور|هيكل|مجمعة|تجميع|واضح|أوضح|المسودة|أقسام|النبرة|التعليمات)|(?:نقش|ساختار|یک جا|دسته بندی|روشن|واضح|پیش نویس|بخش|لحن|دستورالعمل)|(?:תפקיד|מבנה|מרוכז|קובצ|ברור|טיוטה|סעיפ|הטון|ההנחיות)"
    r"|(?:भूमिका|संरचना|ढाँचा|एक जगह|स्पष्ट|मसौदा|खंड|लहजा|निर्देश)|(?:角色|结构|集中|合并|明确|清晰|草稿|分段|语气|指令|提示词)|(?:役割|構成|整理|明確|下書き|見出し|セクション|口調|指示|プロンプト)|(?:역할|구조|정리|명확|초안|섹션|어조|지시|프롬프트)",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Return a text as its words are looked up here: without joiners, Arabic vowels and long signs."""
    return re.sub(r"[\u064b-\u0652\u0640]", "", text.replace("\u200c", " ").replace("\u200d", ""))


def sentences_of(line: str) -> list[str]:
    """Return the sentences of a line, with the signs that end them."""
    return [sentence.strip() for sentence in SENTENCE.findall(line) if sentence.strip(EDGES)]


def is_courtesy(sentence: str) -> bool:
    """Say whether a sentence says no more than yes, or thanks."""
    parts = [part for part in re.split(r"[,،，、!.–—-]+ ?", plain(sentence).strip(EDGES)) if part]
    return 0 < len(parts) <= 3 and all(COURTESY.fullmatch(part.strip(EDGES)) for part in parts)


def is_report(sentence: str) -> bool:
    """Say whether a sentence tells what its speaker has done to a prompt."""
    said = plain(sentence).strip(EDGES)
    return DONE.fullmatch(said) is not None or talk.reports(said)


def is_pointer(sentence: str) -> bool:
    """Say whether a sentence says that a revised text follows."""
    return talk.points_below(plain(sentence).strip(EDGES))


def names_others(text: str) -> bool:
    """Say whether a text names whom an assistant serves or works with, as what is said to the owner does not."""
    return OTHERS.search(text) is not None


def is_remark(paragraph: str) -> bool:
    """Say whether every sentence of a paragraph talks to the owner about the rewritten text, or offers more work on it."""
    text = plain(paragraph).strip().strip("*_> ")
    if not text or len(text) > LONGEST_REMARK or text[0] in "\"'“„«「":
        return False
    prefix = PREFIX.match(text)
    sentences = [sentence.strip(EDGES) for sentence in SENTENCE.findall(text[prefix.end() :] if prefix else text)]
    sentences = [sentence for sentence in sentences if sentence]
    spoken = [sentence for sentence in sentences if not is_courtesy(sentence)]
    return bool(spoken) and not names_others(text) and all(_is_said_of_the_text(sentence) for sentence in spoken)


def _is_said_of_the_text(sentence: str) -> bool:
    return (
        any(pattern.fullmatch(sentence) for pattern in (OFFERS, HOPES, STATED, DONE))
        or talk.offers(sentence)
        or talk.reassures(sentence)
        or talk.reports(sentence)
    )


def is_bare_heading(title: str) -> bool:
    """Say whether a title may stand over remarks as well as over a part of a prompt."""
    return BARE_HEADING.fullmatch(plain(title).strip(EDGES)) is not None


def is_about_the_text(section: str) -> bool:
    """Say whether every point of a section speaks of the text: its structure, its wording, what was kept."""
    lines = [plain(line).strip(EDGES) for line in section.split("\n") if line.strip(EDGES)]
    return bool(lines) and all(ABOUT_TEXT.search(line) or _is_said_of_the_text(line) for line in lines)
