//! Names and addresses of companies that do not exist: brands are made of wading birds and
//! landforms, domains end in `.example`, and phone numbers come from the ranges that regulators
//! keep free for fiction (China has none, so its local numbers begin with zeros).

use super::random::Random;

/// Attempts at a free name before a branch number is added to it.
pub(super) const NAME_TRIES: u32 = 20;

/// A Chinese city: name, latin name, area code.
const CITIES: [(&str, &str, &str); 16] = [
    ("杭州", "hangzhou", "571"),
    ("宁波", "ningbo", "574"),
    ("苏州", "suzhou", "512"),
    ("无锡", "wuxi", "510"),
    ("南京", "nanjing", "25"),
    ("上海", "shanghai", "21"),
    ("深圳", "shenzhen", "755"),
    ("佛山", "foshan", "757"),
    ("厦门", "xiamen", "592"),
    ("泉州", "quanzhou", "595"),
    ("青岛", "qingdao", "532"),
    ("济南", "jinan", "531"),
    ("武汉", "wuhan", "27"),
    ("长沙", "changsha", "731"),
    ("成都", "chengdu", "28"),
    ("西安", "xian", "29"),
];
const BIRDS_ZH: [(&str, &str); 12] = [
    ("鹬", "yu"),
    ("鸻", "heng"),
    ("鸫", "dong"),
    ("鹨", "liu"),
    ("鹮", "huan"),
    ("鸲", "qu"),
    ("鸥", "ou"),
    ("鹭", "lu"),
    ("鹳", "guan"),
    ("鸢", "yuan"),
    ("鹇", "xian"),
    ("鹀", "wu"),
];
const LANDS_ZH: [(&str, &str); 12] = [
    ("川", "chuan"),
    ("禾", "he"),
    ("舟", "zhou"),
    ("岚", "lan"),
    ("汀", "ting"),
    ("屿", "yu"),
    ("砚", "yan"),
    ("泽", "ze"),
    ("澜", "lan"),
    ("陌", "mo"),
    ("坞", "wu"),
    ("浔", "xun"),
];
const TRADES_ZH: [&str; 14] = [
    "纺织",
    "机械",
    "电子",
    "化工",
    "食品",
    "包装",
    "建材",
    "五金",
    "物流",
    "医疗器械",
    "新材料",
    "印务",
    "家居用品",
    "汽车配件",
];

/// A country outside China: code, share, time zone, legal forms, phone prefix and the digits that
/// follow it.
type Country = (&'static str, &'static str, [&'static str; 2], &'static str, usize);
const COUNTRIES: [(u64, Country); 6] = [
    (30, ("GB", "Europe/London", [" Ltd", " plc"], "+44 20 7946 0", 3)),
    (25, ("DE", "Europe/Berlin", [" GmbH", " GmbH & Co. KG"], "+49 30 23125 ", 3)),
    (20, ("US", "America/New_York", [", Inc.", " LLC"], "+1 212 555 01", 2)),
    (10, ("FR", "Europe/Paris", [" SAS", " SARL"], "+33 1 99 00 ", 4)),
    (8, ("IE", "Europe/Dublin", [" Ltd", " DAC"], "+353 20 91", 5)),
    (7, ("AU", "Australia/Sydney", [" Pty Ltd", " Ltd"], "+61 2 5550 ", 4)),
];
const BIRDS_EN: [&str; 14] = [
    "Whimbrel",
    "Godwit",
    "Turnstone",
    "Lapwing",
    "Redshank",
    "Phalarope",
    "Dotterel",
    "Avocet",
    "Sanderling",
    "Curlew",
    "Pratincole",
    "Stint",
    "Courser",
    "Oystercatcher",
];
const LANDS_EN: [&str; 12] = [
    "mere", "holm", "fell", "wick", "brook", "ness", "garth", "combe", "thorpe", "haven", "moss",
    "strand",
];
const TRADES_EN: [&str; 14] = [
    "Textiles",
    "Machinery",
    "Components",
    "Foods",
    "Packaging",
    "Chemicals",
    "Building Supplies",
    "Tools",
    "Logistics",
    "Medical Devices",
    "Printing",
    "Furnishings",
    "Motor Parts",
    "Instruments",
];

/// Who a customer is, as its master data says.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) country: &'static str,
    pub(super) language: &'static str,
    pub(super) time_zone: &'static str,
    pub(super) email: String,
    pub(super) phone: String,
}

pub(super) fn chinese(random: &mut Random, number: u32) -> Identity {
    let (city, city_latin, area) = random.pick(&CITIES);
    let (bird, bird_latin) = random.pick(&BIRDS_ZH);
    let (land, land_latin) = random.pick(&LANDS_ZH);
    let trade = random.pick(&TRADES_ZH);
    let form = random.weighted(&[(85, "有限公司"), (15, "股份有限公司")]);
    Identity {
        name: format!("{city}{bird}{land}{trade}{form}"),
        country: "CN",
        language: "zh-CN",
        time_zone: "Asia/Shanghai",
        email: format!("caiwu{number}@{bird_latin}{land_latin}-{city_latin}.example"),
        phone: format!("+86 {area} 0000 {:04}", random.below(10_000)),
    }
}

pub(super) fn english(random: &mut Random, number: u32) -> Identity {
    let (country, time_zone, forms, prefix, digits) = random.weighted(&COUNTRIES);
    let bird = random.pick(&BIRDS_EN);
    let land = random.pick(&LANDS_EN);
    let trade = random.pick(&TRADES_EN);
    let form = random.pick(&forms);
    let subscriber = random.below(10_u64.saturating_pow(u32::try_from(digits).unwrap_or(0)));
    Identity {
        name: format!("{bird}{land} {trade}{form}"),
        country,
        language: "en",
        time_zone,
        email: format!("accounts{number}@{}{land}.example", bird.to_lowercase()),
        phone: format!("{prefix}{subscriber:0digits$}"),
    }
}

/// Sets a crowded name apart by a branch number.
pub(super) fn with_branch(name: &str, language: &str, number: u32) -> String {
    match language {
        "zh-CN" => format!("{name}第{number}分公司"),
        _ => format!("{name} (branch {number})"),
    }
}
