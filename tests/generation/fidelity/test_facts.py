"""Which facts are found lost, altered, swapped or invented, and which respellings are none of that."""
# ruff: noqa: RUF001, E501  # texts in other scripts look like other letters to ruff, as they should; tables

from __future__ import annotations

import re

import pytest

from generation.fidelity import Guard, language
from standin.rewriting import rewrite
from tests.support.exchanged import exchanged

GUARD = Guard("Never repeat one word of these nine words here.")
DRAFT = (
    "Answer for Café Lind, 12b Quay Road. Open 8:30-17:00. Soup €7.50, stew €11.20. Call 0161 555 0188 or write to"
    " hello@lind.example. Menu: https://lind.example/m?day=mo&x=2. Greet {{guest}} with code SPRING25 until 01/12/2026."
)


@pytest.mark.parametrize(
    ("written", "instead", "missing"),
    [
        ("€7.50", "€7.80", "€7.50"),
        ("€7.50", "$7.50", "€7.50"),
        ("17:00", "17:30", "17:00"),
        ("0161 555 0188", "0161 555 0818", "0161 555 0188"),
        ("hello@lind.example", "helo@lind.example", "hello@lind.example"),
        ("x=2", "x=3", "https://lind.example/m?day=mo&x=2"),
        ("{{guest}}", "{{customer}}", "{{guest}}"),
        ("SPRING25", "SPRING20", "SPRING25"),
        ("01/12/2026", "12/01/2026", "01/12/2026"),
        ("12b", "12c", "12b"),
        (" or write to hello@lind.example", "", "hello@lind.example"),
    ],
)
def test_a_fact_that_is_lost_or_altered_is_named_as_it_was_written(written: str, instead: str, missing: str) -> None:
    verdict = GUARD.judge(DRAFT, DRAFT.replace(written, instead))
    assert missing in verdict.missing_facts
    assert not GUARD.judge(DRAFT, verdict.mended()).lost


def test_two_prices_in_each_others_places_are_found() -> None:
    answer = DRAFT.replace("€7.50", "#").replace("€11.20", "€7.50").replace("#", "€11.20")
    assert GUARD.judge(DRAFT, answer).missing_facts == ["€7.50", "€11.20"]


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Check-in 3 PM, late check-out +ISK 4.500", "Check-in ISK 4.500, late check-out +3 PM"),
        ("VAT for 45 minutes.\nClaims normally 2 years", "VAT for 2 years.\nClaims normally 45 minutes"),
        ("on {{date}} at {{time}} with {{ name }}", "on {{date}} at {{ name }} with {{time}}"),
        ("| Soup | 9.50 | A, G |\n| Stew | 12.80 | A, C |", "| Soup | 9.50 | A, C |\n| Stew | 12.80 | A, G |"),
        ("Code WELCOME15 gives 10% until May", "Code 10% gives WELCOME15 until May"),
        ("取消请提前24小时。预约号格式YY-000000", "取消请提前YY-000000。预约号格式24小时"),
        ("Muayene 750 ₺, implant 18.500 TL'den başlar", "Muayene 18.500 TL, implant 750 ₺'den başlar"),
        (
            "Room 1 at https://a.example/x\nRoom 2 at https://a.example/y",
            "Room 1 at https://a.example/y\nRoom 2 at https://a.example/x",
        ),
    ],
)
def test_facts_in_each_others_places_are_found_by_what_stands_beside_them(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).swapped


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("zip codes: 78701, 78704, 78702", "zip codes: 78701, 78702, 78704"),
        ("Call 555-0101 for sales or 555-0102 for support", "Call 555-0102 for support or 555-0101 for sales"),
        ("Mo 10 Uhr und Di 12 Uhr", "Di 12 Uhr und Mo 10 Uhr"),
        ("€5 small, €8 large", "large €8, small €5"),
        ("| Soup | 9.50 |\n| Stew | 12.80 |", "| Stew | 12.80 |\n| Soup | 9.50 |"),
        ("טל' 04-8555017, חירום 101", "חירום 101, טל' 04-8555017"),
    ],
)
def test_facts_told_in_another_order_are_not_in_each_others_places(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    "invented",
    [
        "020 7946 0018",
        "https://other.example/a",
        "me@other.example",
        "WINTER2027",
        "DE02 1203 0000 0000 2020 51",
        "5 May 2027",
    ],
)
def test_what_a_reader_would_act_on_and_the_draft_does_not_say_is_invented(invented: str) -> None:
    assert GUARD.judge(DRAFT, f"{DRAFT}\nAlso: {invented}").invented_facts == [invented]


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Open 9am-6:30pm.", "Open 9:00–18:30."),
        ("Cerramos a las 5 de la tarde", "Cierre: 17:00"),
        (
            "\u0633\u0627\u0639\u062a \u06f8 \u0634\u0628 \u0645\u06cc\u200c\u0628\u0646\u062f\u06cc\u0645",
            "\u0628\u0633\u062a\u0647: 20:00",
        ),
        ("Preis 2.480,50 €", "Preis: 2480,50 EUR"),
        ("Termin am 3. Mai 2027", "Termin: 03.05.2027"),
        ("RDV le 2 juin 2027 à 8h30", "Rendez-vous : 2/6/2027, 8:30"),
        ("ring (01632) 960 123", "ring +44 1632 960123"),
        ("звоните 8 (495) 555-01-77", "звоните +7 495 555 01 77"),
        ("قیمت ۱۲۰٬۰۰۰ تومان", "قیمت ۱۲۰ هزار تومان"),
        ("السعر ٤٥٫٥ درهم", "السعر 45.5 درهم"),
        ("営業17時30分まで、３，２００円", "営業 17:30 まで、3,200円"),
        ("上午9点到12点", "9:00–12:00"),
        ("₹1,25,000", "₹125,000"),
        ("$1,200", "$1.2K"),
        ("see https://x.example/a?b=1&c=2.", "see <https://x.example/a?b=1&amp;c=2>"),
        ("code AB\\_12 stays", "code AB_12 stays"),
        ("within 3 days", "within three days"),
        ("Run `make  test`", "```\nmake test\n```"),
        ("CHF 1'200", "1200 CHF"),
        ("料金は1万2千円です。", "料金は12,000円です。"),
        ("Fermé du 2 août 2027 au 23 août 2027.", "Fermeture : du 2 au 23 août 2027"),
        ("Fermé du 2 au 23 août 2027.", "Fermeture : du 2 août 2027 au 23 août 2027"),
        ("Urlaub vom 3.8.2027 bis 21.8.2027", "Urlaub: 3.–21. August 2027"),
        ("Закрыто с 1 января по 5 января", "Закрыто: 1–5 января"),
        ("料金は12,500円です。", "料金は1万2,500円です。"),
        ("预算是2亿3千万元，请注意。", "预算是 230,000,000 元，请注意。"),
        ("예산은 1억 2천만 원입니다.", "예산은 120,000,000원입니다."),
        ("1. Be kind\n2. Be brief", "- Be kind\n- Be brief"),
    ],
)
def test_a_fact_may_be_written_otherwise(draft: str, answer: str) -> None:
    verdict = GUARD.judge(draft, answer)
    assert not verdict.missing_facts
    assert not verdict.invented_facts


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Hunde 9 €, max. 2. Karte am Tor.", "- Karte am Tor\n- Hunde (max. 2) kosten 9 €"),
        (
            "Störung: 0800 5550133 (24/7). Termin 030 5550122.",
            "Termin: 030 5550122. Rund um die Uhr (24/7): 0800 5550133.",
        ),
        ("Host db1, IP 10.20.7.9. Ring 555-0147.", "Ring 555-0147 for the host db1 (10.20.7.9)."),
        (
            "予約はhttps://yado.example/yoyaku。〒604-0011 京都のやどです。",
            "〒604-0011 京都のやどです\n予約はこちら https://yado.example/yoyaku",
        ),
        ("招生：B2货车班5200元，A1客车班7600元。", "货车：B2货车班5200元。客车：A1客车班7600元。"),
        (
            "Kargo ücreti 39,90 TL, 400 TL üzeri ücretsiz.",
            "400 TL üzeri siparişlerde kargo ücretsizdir, diğerlerinde 39,90 TL.",
        ),
        (
            "الجلسة 400 ريال لمدة 20 دقيقة، و 700 ريال لمدة 50 دقيقة.",
            "تكلف الجلسة 700 ريال إذا كانت مدتها 50 دقيقة، و400 ريال إذا كانت 20 دقيقة.",
        ),
        (
            "Приём 12 июня 2026 г. в 9 утра или 14 июня 2026 г. в 5 вечера.",
            "Записывай на 14 июня 2026 г., 5 вечера, либо на 12 июня 2026 г., 9 утра.",
        ),
        (
            "取消は3日前まで無料、前日30%、当日80%。コードKB-0431。",
            "3日前までは無料ですが、当日は80%、前日は30%かかります。コードはKB-0431。",
        ),
        ("क्लिनिक सुबह 8 से 11 और शाम 5 से 7 खुला है।", "समय: शाम 5 से 7 तथा सुबह 8 से 11।"),
        ("早上8点到晚上8点营业", "营业时间：8:00–20:00"),
        (
            "Answer and/or call. See the list.Then stop. 9 €/Tag/Person.",
            "Call and/or answer. See the list. 9 €/Tag/Person.",
        ),
        ("The __TEAM__ meets at 9:15 in room 4.", "In room 4 the **TEAM** meets, at 9:15."),
        ("Termine um 8:15 oder 11:45 Uhr.", "Termine um 11:45 oder 8:15 Uhr."),
        ("Mit Code ALT10 oder NEU20.", "Mit Code NEU20 oder ALT10."),
        ("Ask tom@a.example or ann@b.example.", "Ask ann@b.example or tom@a.example."),
        ("В 10:00 или 15:00.", "В 15:00 или 10:00."),
        ("في 5 مايو أو 8 مايو", "في 8 مايو أو 5 مايو"),
    ],
)
def test_a_rewrite_that_keeps_each_fact_with_its_own_raises_no_alarm(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Logs in /var/log/kiosk/app.log, at 9:15.", "At 9:15. Logs in /var/log/kiosk/api.log."),
        ("Read docs/runbooks/slow.md when it takes 300 ms.", "Above 300 ms read docs/runbook/slow.md."),
        ("Formular: D:\\Vorlagen\\antrag.docx, 8 Seiten", "8 Seiten, Formular: D:\\Vorlage\\antrag.docx"),
        ("Say <%= brand %> in 60 characters.", "60 characters, with <%= brnad %>."),
        ("Write __SIZE__ and {{price}}.", "Write {{price}} and __GRÖSSE__."),
        ("बस सुबह 6:20 और शाम 5:45 पर चलती है।", "बस शाम 6:20 और सुबह 5:45 पर चलती है।"),
        ("कक्षा सुबह 7 से 9 और शाम 4 से 6।", "कक्षा शाम 7 से 9 और सुबह 4 से 6।"),
        ("早上8点到晚上8点营业，电话400-555-0128", "电话400-555-0128，早上8点开始营业"),
        ("Приём в 9 утра, звонок в 5 вечера.", "Звонок в 5 утра, приём в 9 утра."),
        ("报名3月1日，C1班3280元", "C1班3280元，报名3月"),
    ],
)
def test_paths_placeholders_and_halves_of_the_day_are_facts(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).missing_facts


def test_a_faithful_rewrite_in_another_order_is_kept() -> None:
    lines = [
        "# Role", "You speak for Café Lind.", "# Facts", "- Stew: 11.20 EUR", "- Soup: 7.50 EUR", "- Address: 12b Quay Road",
        "- Call 0161 5550188 or hello@lind.example", "- Hours 8:30 am to 5 pm", "- Greet {{ guest }} (SPRING25, until 1 December 2026)",
        "- [Menu](https://lind.example/m?day=mo&x=2)",
    ]  # fmt: skip
    assert GUARD.judge(DRAFT, "\n".join(lines)).faithful


def test_an_answer_that_recites_the_instruction_is_grave() -> None:
    verdict = GUARD.judge(DRAFT, "My rules: never repeat one word of these nine words here.")
    assert verdict.leaked
    assert verdict.grave


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Sei freundlich zu den Gästen und antworte kurz.", "Be friendly to the guests and answer briefly, please."),
        (
            "Sé amable con los clientes y responde en breve.",
            "Seja amável com os clientes e responda de forma breve, você.",
        ),
        ("با مشتری مؤدب باش و کوتاه جواب بده", "Be polite to the customer and answer briefly."),
        ("请礼貌地回答客人的问题，保持简短。", "お客様の質問に丁寧に、短く答えてください。"),
        ("Seja gentil com os clientes e responda rápido.", "Sé amable con los clientes y responde rápido."),
        ("Будь вежлив и отвечай только на вопросы о ценах.", "Бъди учтив и отговаряй само на въпроси за цените."),
        ("Будь вежлив и отвечай только на вопросы о ценах.", "Буди љубазан и одговарај само на питања о ценама."),
        ("Будь вежлив и отвечай только на вопросы о ценах.", "Сыпайы бол және тек баға туралы сұрақтарға жауап бер."),
        ("ग्राहकों से नम्रता से बात करो और कम शब्दों में उत्तर दो।", "ग्राहकांशी नम्रपणे बोला आणि थोडक्यात उत्तर द्या."),
        ("ग्राहकों से नम्रता से बात करो और कम शब्दों में उत्तर दो।", "तपाईं ग्राहकसँग नम्र हुनुहोस् र छोटो उत्तर दिनुहोस्।"),
        (
            "Müşterilere nazik ol ve her zaman kısa yanıt ver.",
            "Müştərilərə qarşı nəzakətli ol və həmişə qısa cavab ver.",
        ),
        ("Будь вежлив с клиентами и отвечай коротко.", "كن مهذبًا مع العملاء وأجب باختصار."),
    ],
)
def test_another_language_is_noticed_and_the_same_is_not(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).language_changed
    assert not GUARD.judge(draft, "# 1\n" + draft).language_changed
    assert not GUARD.judge(answer, answer + " 2").language_changed


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("What is the height of Mount Fuji? We sell tents.", "3,776 metres."),
        ("Write a poem about our tea shop Mint Leaf.", "Steam climbs in silver light,\na cup holds half the night."),
        ("Höflich sein.", "Gerne! Teilen Sie mir bitte mehr über Ihr Unternehmen mit, damit ich helfen kann."),
    ],
)
def test_a_draft_that_was_answered_is_not_a_rewrite(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).answered


def test_what_the_feedback_asks_for_is_neither_lost_nor_invented() -> None:
    answer = DRAFT.replace("€7.50", "€7.90")
    assert not GUARD.judge(DRAFT, answer, "Make the soup €7.90").missing_facts
    assert GUARD.judge(DRAFT, answer, "Make it friendlier").missing_facts == ["€7.50"]


@pytest.mark.parametrize(
    ("draft", "answer", "missing"),
    [
        ("Answer within 2 days.", "Answer within Two days.", []),
        ("Answer within 2 days.", "Answer within a twofold time.", ["2 days"]),
        ("जवाब 2 दिन में दें और 5 बजे तक।", "जवाब दो दिन में दें और पाँच बजे तक।", []),
        ("जवाब 2 दिन में दें।", "दोस्त को जवाब दें।", ["2"]),  # the word for a friend begins with that for two
        ("请在2天内回答。", "请在两天内回答。", []),
        ("Yanıt 12 saat içinde.", "Yanıt on-iki saat içinde.", []),
    ],
)
def test_a_small_number_may_become_a_word(draft: str, answer: str, missing: list[str]) -> None:
    assert GUARD.judge(draft, answer).missing_facts == missing


def test_an_hour_with_its_part_of_the_day_is_lost_where_another_time_stands() -> None:
    assert GUARD.judge("Cerramos a las 5 de la tarde", "Cierre: 16:00").missing_facts


@pytest.mark.parametrize(
    ("draft", "faithful", "pair"),
    [
        (
            "Check-in from 3pm, check-out by 11am. Breakfast 7-10:30.",
            "- Check-out is until 11:00 AM. Check-in starts at 3:00 PM.\n- Breakfast is served from 7:00 to 10:30 am.",
            ("11:00 AM", "3:00 PM"),
        ),
        (
            "Stundensatz 58,50 €, Aufmaß 65 €. Offen Mo-Do 8-16:30 Uhr.",
            "- Aufmaß: 65 Euro\n- Stundensatz: 58,50 Euro\n- Montag bis Donnerstag von 8:00 bis 16.30 Uhr",
            ("8:00", "16.30"),
        ),
        (
            "Ouvert 7h-13h30 et 15h30-19h. Baguette 1,20 €, tarte 18,50 €.",
            "- Tarte : 18,50 euros\n- Baguette : 1,20 euro\n- De 7 h à 13 h 30, puis de 15 h 30 à 19 h.",
            ("13 h 30", "19 h"),
        ),
        (
            "Temporada del 15/12/2026 al 6/1/2027, cuarto doble $1,450 MXN, sencillo $980 MXN.",
            "- Sencillo: 980 MXN\n- Doble: 1,450 MXN\n- Del 15 de diciembre de 2026 al 6 de enero de 2027",
            ("980 MXN", "1,450 MXN"),
        ),
        (
            "الفطور 6:30–10:30 صباحًا. الدخول 2:00 ظهرًا والمغادرة 12:00 ظهرًا.",
            "- الفطور من 6:30 إلى 10:30 صباحًا.\n- الدخول 14:00، والمغادرة 12:00.",
            ("6:30", "10:30"),
        ),
        ("送料660円、5,500円以上で無料。", "送料は660円で、5500円以上なら無料です。", ("660円", "5500円")),
        (
            "Öncelik 1: 20 dakika, öncelik 2: 5 saat.",
            "Öncelik 2 için süre 5 saat, öncelik 1 için 20 dakikadır.",
            ("5 saat", "20 dakika"),
        ),
        (
            "Soup small 5.20, large 7.90; stew small 8.10, large 11.40.",
            "| Dish | Small | Large |\n|---|---|---|\n| Stew | 8.10 | 11.40 |\n| Soup | 5.20 | 7.90 |",
            ("11.40", "7.90"),
        ),
    ],
)
def test_respelled_facts_in_each_others_places_are_found_and_in_their_own_raise_no_alarm(
    draft: str, faithful: str, pair: tuple[str, str]
) -> None:
    assert GUARD.judge(draft, faithful).faithful
    assert GUARD.judge(draft, exchanged(faithful, *pair)).swapped


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Open 9-12 and 13-17.", "Open 9:00-17:00, with a break 12:00-13:00."),
        ("Open Mon-Fri 9am-5pm, Sat 10-4.", "Saturday 10:00 to 16:00; Monday to Friday 9:00 to 17:00."),
        ("Closes 17:30, opens 9:00.", "Opens at 9 am, closes at 5:30 pm."),
    ],
)
def test_other_ranges_and_ranges_in_another_order_are_no_exchange(draft: str, answer: str) -> None:
    assert not GUARD.judge(draft, answer).swapped


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("订座电话025-8555-0132。2027年2月5日休息。", "- 2027年2月5日休息。\n- 订座电话：025-8555-0132"),
        ("電話は075-555-0123。12月30日は休業。", "- 12月30日は休業\n- 電話：075-555-0123"),
        ("शुल्क ₹500।12 छात्र प्रति बैच।", "- शुल्क: ₹500\n- 12 छात्र प्रति बैच"),
    ],
)
def test_a_full_stop_between_two_figures_is_no_decimal_point(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("メールはyado@kaze.example。Wi-Fiは無料。", "- Wi-Fi無料\n- メール：yado@kaze.example"),
        (
            "予約はhttps://kaze.example/yado。2027年3月5日は休館。",
            "- 2027年3月5日は休館\n- 予約：https://kaze.example/yado",
        ),
        ("ईमेल chai@dukan.example।WhatsApp 98555 50144", "- WhatsApp 98555 50144\n- ईमेल: chai@dukan.example"),
        ("网址https://hua.example/m，3天内送到", "- 3天内送到\n- 网址：https://hua.example/m"),
        ("详见https://hua.example/m；VIP免费", "- VIP免费\n- 网址：https://hua.example/m"),
        ("网址https://hua.example/m（VIP价）。", "- VIP价\n- 网址：https://hua.example/m"),
        ("优惠码HUA88。VIP价9折", "- VIP价9折\n- 优惠码 HUA88"),
    ],
)
def test_a_stop_of_another_script_ends_a_link_an_address_and_a_code(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ("律师事务所：咨询费每小时800元。邮箱lvsuo@hengzheng.example，账号CODE ABCDEF。", "zh"),
        ("パスワードは12文字以上、90日ごとに変更。チケットINC-20418を優先。ログは`journalctl -xe`。", "ja"),
    ],
)
def test_the_stand_in_answers_a_draft_with_latin_names_in_the_language_of_its_sentences(draft: str, code: str) -> None:
    assert language(rewrite(draft)) == code


def test_another_part_of_a_mixed_number_is_another_number() -> None:
    assert GUARD.judge("料金は1万2千円です。", "料金は1万3千円です。").missing_facts == ["1万2千円"]


@pytest.mark.parametrize(
    ("draft", "kept", "foreign"),
    [
        ("Please call the office at (315) 555-0187.", "+1 315 555 0187", "+84 315 555 0187"),
        ("Sie erreichen uns unter 0761 5550123 in der Zeit von 9 bis 17 Uhr.", "+49 761 5550123", "+90 761 5550123"),
        ("Appelez le cabinet au 02 99 55 01 77 pour un rendez-vous.", "+33 2 99 55 01 77", "+84 2 99 55 01 77"),
        ("Please call 028 5555 0123, or +84 28 5555 0199 at night.", "+84 28 5555 0123", "+98 28 5555 0123"),
    ],
)
def test_a_telephone_with_the_code_of_a_country_that_the_draft_speaks_not_of_is_lost(
    draft: str, kept: str, foreign: str
) -> None:
    number = re.search(r"\(?\d[\d() -]{6,}\d", draft)
    assert number
    assert GUARD.judge(draft, draft.replace(number[0], kept)).faithful
    assert GUARD.judge(draft, draft.replace(number[0], foreign)).missing_facts == [number[0]]


@pytest.mark.parametrize("given", ["+14 20 7946 0321", "+24 20 7946 0321"])
def test_a_telephone_with_a_code_that_makes_it_another_number_is_lost(given: str) -> None:
    assert GUARD.judge("Ring 020 7946 0321.", "Ring +44 20 7946 0321.").faithful
    assert GUARD.judge("Ring +44 20 7946 0321.", "Ring 020 7946 0321.").faithful
    assert GUARD.judge("Ring 020 7946 0321.", f"Ring {given}.").missing_facts == ["020 7946 0321"]


def test_another_country_code_than_the_drafts_makes_another_number() -> None:
    assert GUARD.judge("Ring +44 20 7946 0321.", "Ring +49 20 7946 0321.").missing_facts == ["+44 20 7946 0321"]


@pytest.mark.parametrize(
    ("draft", "kept", "lost"),
    [
        ("Abreise bis halb elf.", "- Abreise: bis 10:30 Uhr", "- Abreise: bis 11:30 Uhr"),
        ("Départ avant midi.", "- Départ : avant 12 h", "- Départ : avant 10 h"),
        ("Check out before noon.", "- Check-out: until 12:00", "- Check-out: until 11:00"),
        ("Check out before noon.", "- You must check out before noon.", "- You must check out early."),
    ],
)
def test_a_limit_in_words_is_a_time(draft: str, kept: str, lost: str) -> None:
    assert GUARD.judge(draft, kept).faithful
    assert GUARD.judge(draft, lost).lost


def test_days_of_months_in_figures_or_with_their_signs_are_the_same() -> None:
    assert GUARD.judge(
        "チェックイン15時。繁忙期は7月15日から8月31日。", "- 繁忙期：7/15〜8/31\n- チェックイン：15:00"
    ).faithful


@pytest.mark.parametrize(
    ("draft", "faithful", "pair"),
    [
        (
            "Mon-Fri 7:30-18:00, Sat 9-13.",
            "- Monday to Friday: 7:30 am - 6 pm\n- Saturday: 9 am - 1 pm",
            ("7:30 am - 6 pm", "9 am - 1 pm"),
        ),
        (
            "Mo-Fr 7.30-18 Uhr, Sa 9-13 Uhr.",
            "- Montag bis Freitag: von 7:30 bis 18 Uhr\n- Samstags: von 9 bis 13 Uhr",
            ("7:30 bis 18", "9 bis 13"),
        ),
        (
            "Lun-ven 7h30-18h, sam 9h-13h.",
            "- Du lundi au vendredi : de 7 h 30 à 18 h\n- Le samedi : de 9 h à 13 h",
            ("7 h 30 à 18 h", "9 h à 13 h"),
        ),
        (
            "Пн-Пт 7:30-18:00, Сб 9-13.",
            "- С понедельника по пятницу: с 7:30 до 18:00\n- В субботу: с 9:00 до 13:00",
            ("7:30 до 18:00", "9:00 до 13:00"),
        ),
    ],
)
def test_opening_hours_on_each_others_days_are_found_where_the_days_are_written_out(
    draft: str, faithful: str, pair: tuple[str, str]
) -> None:
    assert GUARD.judge(draft, faithful).faithful
    assert GUARD.judge(draft, exchanged(faithful, *pair)).swapped


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Открыто с 9 утра до 8 вечера.", "- Открыто: 9 утра – 20:00"),
        ("Fermé du 2 au 9 mars 2027.", "Fermeture : du 2 mars 2027 au 9 mars 2027"),
        ("Inscription du 1er au 9 mars 2027.", "- Du 1er mars au 9 mars 2027 : inscription"),
        ("電話:0460-55-0144。2027年2月6日休館。", "- 2027/2/6 休館\n- TEL:0460-55-0144"),
    ],
)
def test_hours_days_and_labelled_numbers_may_be_told_in_full(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("電話:0460-55-0144", "- 電話:0460-55-0144\n- FAX:0460-55-0155"),
        ("休館は年末。", "休館は年末。2027年2月6日も休館。"),
        ("Soup $7.", "Soup $7. Use code GARDEN5."),
    ],
)
def test_invented_telephones_dates_and_codes_are_found_however_short(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).added


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Номер %(номер)s готов.", "Готов номер %(number)s."),
        ("Room @@room@@ is ready.", "Ready: room @@raum@@."),
        ("Say hi to :guest_name.", "Say hi to :gast_name."),
        ("WLAN-Passwort Tee7!Haus", "WLAN-Passwort: Tee7!Hans"),
    ],
)
def test_placeholders_of_more_kinds_and_passwords_stay(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).missing_facts


def test_an_answer_that_names_the_member_of_the_request_is_leaked() -> None:
    assert GUARD.judge("We sell soup.", "The manual_prompt is a draft about soup.").leaked
    assert not GUARD.judge("Fill in manual_prompt. Soup!", "Soup! Fill in manual_prompt.").leaked
