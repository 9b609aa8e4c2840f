//! What a word is to a search, on both databases alike.

use super::{SEARCH, create, ids, marked, search};
use serde_json::json;

on_both_databases! {
    async fn no_query_is_an_operator(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Signs" })).await;
        let goal = create(&client, "createGoal", "goal", json!({ "projectId": project, "title": "xenon NEAR krypton AND NOT argon" })).await;
        for query in [
            "xenon near krypton", "\"xenon\" \"krypton\"", "xenon NOT argon", "xenon AND argon", "not (xenon", "xenon*krypton",
            "xenon:krypton", "xenon' | 'krypton", "xenon\\", "'xenon", "xenon & !krypton",
            "{xenon} ^krypton", "xenon + argon", "-xenon", "xenon🦀krypton", "%xenon_", "xe:*", "near xenon<->krypton",
        ] {
            assert_eq!(ids(&client, query).await, [&*goal], "{query}");
        }
        for query in ["NEAR(xenon radon)", "xenon OR radon", "title : xenon", "owner:xenon", "xenon\" OR \"radon"] {
            assert_eq!(ids(&client, query).await, [""; 0], "{query}");
        }
        for query in ["", "   ", "\"", "*", "()", "- : ' \\", "🦀🤖", "_", "'';--"] {
            assert_eq!(client.code(SEARCH, json!({ "query": query })).await, "BAD_USER_INPUT", "{query:?}");
        }
        assert_eq!(client.code(SEARCH, json!({ "query": "xenon\0" })).await, "BAD_USER_INPUT");
        assert_eq!(client.code(SEARCH, json!({ "query": "a".repeat(201) })).await, "LIMIT_EXCEEDED");
        assert_eq!(client.code(SEARCH, json!({ "query": "a ".repeat(17) })).await, "LIMIT_EXCEEDED");
        assert_eq!(ids(&client, &"ß".repeat(200)).await, [""; 0]);
    }

    async fn both_databases_cut_texts_into_the_same_words(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Words" })).await;
        for (text, found, missed) in [
            ("ann.lee@example.org", &["ann", "lee example", "org lee", "exam"][..], &["annlee", "xample"][..]),
            ("https://docs.rs/sea-orm/2.0/?q=a_b#top", &["docs rs", "sea orm 2", "q b a", "TOP"], &["seaorm", "a_b2"]),
            ("snake_case kebab-case it's O’Reilly", &["snake case", "kebab", "it s", "o reilly"], &["snakecase", "its"]),
            ("v2 3.14 007 x86_64", &["v2", "14 3", "007", "x86 64"], &["2", "314"]),
            ("Die GRÖßE der Straße", &["größe", "GRÖßE", "straße", "STRAẞE", "grö", "GRÖSSE", "strasse"], &["grosse", "große"]),
            ("L'École ÉTÉ naïve", &["école", "été", "NAÏVE", "ÉCOLE l"], &["ecole", "ete"]),
            ("Обзор проекта ЁЛКА", &["обзор", "ОБЗОР", "проект", "ёлка"], &["елка"]),
            ("ΟΔΟΣ Σίσυφος", &["οδος", "οδοσ", "σίσυφοσ", "ΣΊΣΥΦΟΣ"], &["σισυφος"]),
            ("İstanbul ısı µm ſo", &["İstanbul", "ısı", "μm", "so", "ISTANBUL", "isi", "I\u{307}stan"], &["stanbul"]),
            ("東京タワー 会議、議事録", &["東京タワー", "東京", "議事録", "会議 議事録", "タワー", "京タ", "事", "ﾀﾜｰ"], &["京都", "会事"]),
            ("ship🚀bot🤖melting🫠 5₿ x²y", &["ship", "bot ship", "melting bot", "5 ship", "x y"], &["shipbot", "x2"]),
            ("cafe\u{301} cafe \u{301}loose", &["cafe\u{301}", "cafe loose", "loose cafe", "café", "CAFÉ"], &["cafè"]),
            ("๓๔ ٣٤ नमस्ते Ⅷ", &["๓๔", "٣٤ ๓๔", "नमस"], &["8", "viii"]),
        ] {
            let goal = create(&client, "createGoal", "goal", json!({ "projectId": project, "title": text })).await;
            for query in found {
                assert!(ids(&client, query).await.contains(&goal), "{query} in {text}");
            }
            for query in missed {
                assert!(!ids(&client, query).await.contains(&goal), "{query} not in {text}");
            }
        }
    }

    async fn every_script_is_found_however_it_was_typed(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Scripts" })).await;
        for (text, found, missed) in [
            // French and Vietnamese, composed and not, both ways.
            ("Re\u{301}union a\u{300} Noe\u{308}l", &["réunion", "RE\u{301}UNION", "noël à"][..], &["reunion", "noel"][..]),
            ("Tiếng Việt", &["tie\u{302}\u{301}ng", "TIẾNG việt", "vie\u{323}\u{302}t"], &["tieng"]),
            ("A\u{30a}ngstro\u{308}m \u{212b}re", &["ångström", "\u{212b}NGSTRÖM", "åre"], &["angstrom"]),
            // German.
            ("Maßstab FUSSBALL", &["maßstab", "MASSSTAB", "MAẞSTAB", "fußball"], &["mastab"]),
            // Greek, with its last sigma, and accents apart.
            ("ὁ Σίσυφος", &["σίσυφος", "ΣΊΣΥΦΟΣ", "σι\u{301}συφοσ", "ὁ σ"], &["σισυφος"]),
            // Turkish.
            ("DİYARBAKIR IŞIK", &["diyarbakır", "diyarbakir", "ışık", "işik"], &["diyar bakir"]),
            // Cyrillic.
            ("Йод и\u{306} Ёж Україна", &["йод", "И\u{306}ОД", "ёж", "е\u{308}ж", "УКРАЇНА", "украі\u{308}на"], &["иод", "еж"]),
            // Arabic, Persian with its joiner, Hebrew with points.
            ("اجتماع المشروع می\u{200c}خواهم שָׁלוֹם", &["اجتماع", "المشر", "می\u{200c}خواهم", "میخواهم", "שָׁלוֹם"], &["مشروع"]),
            // Hindi, with vowel signs and a conjunct.
            ("परियोजना की क्षमता", &["परियोजना", "क्षमता", "परि"], &["योजना"]),
            // Thai, without spaces.
            ("การประชุมวันนี้", &["ประชุม", "การประชุม", "วันนี้"], &["ประชาชน"]),
            // Chinese.
            ("我们今天开会讨论项目进度", &["开会", "讨论", "项目", "项目进度", "会", "度"], &["会开", "项进"]),
            // Japanese, with kana of either width and voice marks apart.
            ("今日の会議はプロジェクトの話", &["会議", "ﾌﾟﾛｼﾞｪｸﾄ", "フ\u{309a}ロシ\u{3099}ェクト", "今日", "話"], &["議会"]),
            // Korean, composed and not.
            ("정기회의에서 결정했다", &["회의", "정기", "결정", "\u{1112}\u{116c}\u{110b}\u{1174}", "다"], &["의회"]),
            ("a\u{300}\u{323}b\u{323}\u{307}", &["a\u{323}\u{300}b\u{307}\u{323}", "ạ\u{300}"], &["ab"]),
            // Signs and emoji separate, also those of several characters.
            ("ship👩‍💻it 👍🏽done ❤️x", &["ship it", "done", "x ship"], &["shipit"]),
            ("ＷＩＤＥ　ｔｅｘｔ１２３", &["wide text123", "WIDE"], &["wi text"]),
        ] {
            let goal = create(&client, "createGoal", "goal", json!({ "projectId": project, "title": text })).await;
            for query in found {
                assert!(ids(&client, query).await.contains(&goal), "{query} in {text}");
                let hits = search(&client, json!({ "query": query })).await;
                let hit = hits.iter().find(|hit| hit["node"]["id"] == json!(goal)).expect("it is there");
                assert!(!marked(hit).is_empty(), "{query} is marked in {}", hit["snippetParts"]);
            }
            for query in missed {
                assert!(!ids(&client, query).await.contains(&goal), "{query} not in {text}");
            }
        }
    }
}
