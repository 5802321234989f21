//! `dunlin demo`.

use super::client::{Client, escape};
use super::summary::{Summary, Worst};
use super::up::{self, App, Schedule, Stop};
use super::{Outcome, import, print, progress, sweep};
use crate::LogSink;
use crate::demo::{self, Company, Truth};
use anyhow::{Context as _, Result, bail, ensure};
use chrono::{Duration, NaiveDate, Utc};
use clap::Args;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Days before today from which the sweep runs, day by day: a month, so that reminders and alerts have their history.
const SWEPT_DAYS: i64 = 30;

/// Customers whose reasons are shown.
const WORST_SHOWN: usize = 8;

/// Months over which days sales outstanding are counted.
const DSO_MONTHS: u32 = 3;

/// Pages of a list read at most: more than the demo can fill, and an end should a cursor go in circles.
const MOST_PAGES: usize = 1_000;

#[derive(Args)]
pub struct Options {
    /// Stop after printing the summary instead of serving on
    #[arg(long)]
    once: bool,
    /// Address to serve on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Directory for the databases; a directory for today's company in .dunlin when absent
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Company to make up: the same seed gives the same company
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of its customers
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    customers: u32,
    /// Language of the summary, alerts and reasons
    #[arg(long, default_value = "en", value_parser = ["en", "zh-CN"])]
    language: String,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    app: App,
}

pub fn run(options: &Options) -> Outcome {
    let mut stop = Stop::new()?;
    let today = Utc::now().date_naive();
    let folder = options.data_dir.clone().unwrap_or_else(|| {
        let Options { seed, customers, .. } = options;
        Path::new(up::DATA_DIR).join(format!("demo-{today}-{seed}-{customers}"))
    });
    let today = remembered_day(&folder, options, today)?;
    let wanted =
        demo::Options { customers: options.customers, ..demo::Options::new(options.seed, today) };
    let company = demo::generate(&wanted);
    fs::write(folder.join("truth.json"), &company.truth_json)?;

    let log = log_file(&folder.join("demo.log"))?;
    let started = up::start(&options.app, Schedule::Off, &folder, options.listen, log)?;
    let key = started.key.clone().context("the application has no variable `admin_key`")?;
    let client = Client::at(&started.running.url(), &key)?.with_language(&options.language);
    let Some(summary) = stop.unless(work(&client, &options.language, company, today)) else {
        stop.finish(started.running);
        bail!("stopped before the company was worked through; start again to go on")
    };
    let summary = summary?;
    print(&if options.json { summary.to_json().to_string() } else { summary.render() });
    if options.once {
        started.running.shutdown_blocking();
        return Ok(true);
    }
    if !options.json {
        print(&invitation(&started.running.url(), &key, today, &summary));
    }
    print(&format!("listening on {}", started.running.url()));
    stop.wait();
    stop.finish(started.running);
    Ok(true)
}

/// A directory keeps its company: on a later day the same company is shown on its own day, not a younger one with
/// the same invoice numbers.
fn remembered_day(folder: &Path, options: &Options, today: NaiveDate) -> Result<NaiveDate> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the data directory {}", folder.display()))?;
    let path = folder.join("company.json");
    let Ok(text) = fs::read_to_string(&path) else {
        let made = json!({ "seed": options.seed, "customers": options.customers, "today": today.to_string() });
        fs::write(&path, made.to_string())?;
        return Ok(today);
    };
    let kept: Value = serde_json::from_str(&text).context("company.json is damaged")?;
    ensure!(
        kept["seed"] == options.seed && kept["customers"] == options.customers,
        "{} holds another company (seed {}, {} customers); choose another --data-dir",
        folder.display(),
        kept["seed"],
        kept["customers"]
    );
    let day = kept["today"].as_str().and_then(|day| day.parse().ok());
    day.context("company.json has no day")
}

/// What components log goes to a file: the terminal is for the summary.
fn log_file(path: &Path) -> Result<LogSink> {
    let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    let file = Mutex::new(file);
    Ok(Arc::new(move |line| {
        if let Ok(mut file) = file.lock() {
            let _ = writeln!(file, "{line}");
        }
    }))
}

/// Takes the company in, sweeps its last month, and asks for everything that the summary shows.
async fn work(
    client: &Client,
    language: &str,
    company: Company,
    today: NaiveDate,
) -> Result<Summary> {
    let truth = Truth::parse(&company.truth_json)?;
    let name = if language == "zh-CN" { "鹭洲贸易有限公司" } else { "Dunlin Demo Trading" };
    let organisation = json!({ "name": name, "time_zone": "Asia/Shanghai", "language": language });
    client.put("/v1/ingest/organisation", &organisation).await?;
    let mut imports = Vec::new();
    for (kind, csv) in [
        ("customers", company.customers_csv),
        ("invoices", company.invoices_csv),
        ("payments", company.payments_csv),
    ] {
        let bar = progress::spinner(format!("taking in {kind}"));
        imports.push((kind, import::send(client, kind, csv).await?));
        bar.finish_and_clear();
    }
    for days_ago in (0..=SWEPT_DAYS).rev() {
        let day = today - Duration::days(days_ago);
        sweep::until_done(client, Some(&day.to_string())).await?;
    }

    // The list is as the last sweep left it, which was that of today.
    let scores = all(client, "/v1/score/customers").await?;
    let score_of = |id: &str| {
        let line = scores.iter().find(|line| line["customer_id"] == id)?;
        number(&line["score"])
    };
    let auc = demo::auc(&truth.label(|id| score_of(id).map(|score| -score)));
    let mut worst = Vec::new();
    for line in scores.iter().filter(|line| number(&line["score"]).is_some()).take(WORST_SHOWN) {
        let id = escape(line["customer_id"].as_str().unwrap_or_default());
        worst.push(Worst {
            customer: client.get(&format!("/v1/ingest/customers/{id}")).await?,
            card: client.get(&format!("/v1/score/customers/{id}?as_of={today}")).await?,
        });
    }
    let dso = format!("/v1/report/dso?as_of={today}&months={DSO_MONTHS}&method=simple");
    Ok(Summary {
        as_of: today.to_string(),
        chinese: language == "zh-CN",
        imports: imports.into_iter().map(|(kind, result)| (kind.to_owned(), result)).collect(),
        ageing: client.get(&format!("/v1/report/ageing?as_of={today}")).await?,
        dso: client.get(&dso).await?,
        worst,
        alerts: all(client, "/v1/score/alerts").await?,
        notices: all(client, "/v1/remind/notices").await?,
        auc,
    })
}

/// Every page of a list.
async fn all(client: &Client, path: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    for _ in 0..MOST_PAGES {
        let page = client.get(&next).await?;
        items.extend(
            page["items"]
                .as_array()
                .with_context(|| format!("{path} is not a list"))?
                .iter()
                .cloned(),
        );
        let Some(cursor) = page["next"].as_str() else { break };
        let separator = if path.contains('?') { '&' } else { '?' };
        next = format!("{path}{separator}cursor={}", escape(cursor));
    }
    Ok(items)
}

/// A decimal, which the API writes as a text.
fn number(value: &Value) -> Option<f64> {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_f64())
}

fn invitation(url: &str, key: &str, today: NaiveDate, summary: &Summary) -> String {
    let worst = summary.worst.first().and_then(|worst| worst.customer["id"].as_str());
    let worst = worst.unwrap_or("C0001");
    let begin = if summary.chinese { "可以试试：" } else { "Try:" };
    format!(
        "{begin}\n  export KEY={key}\n  \
         curl -H \"Authorization: Bearer $KEY\" '{url}/v1/report/ageing?as_of={today}'\n  \
         curl -H \"Authorization: Bearer $KEY\" '{url}/v1/score/customers/{worst}?as_of={today}'\n  \
         curl -H \"Authorization: Bearer $KEY\" '{url}/v1/remind/notices?limit=3'\n  \
         curl -H \"Authorization: Bearer $KEY\" -H 'Accept: text/csv' '{url}/v1/report/overdue?as_of={today}'\n  \
         curl -H \"Authorization: Bearer $KEY\" '{url}/v1/report/ageing.svg?as_of={today}' > ageing.svg\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn a_directory_keeps_its_company() {
        let folder = tempfile::tempdir().unwrap();
        let options = |seed: &str| Line::parse_from(["demo", "--seed", seed]).options;
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let remembered = |seed, today| remembered_day(folder.path(), &options(seed), day(today));
        assert_eq!(remembered("1", "2026-01-05").unwrap(), day("2026-01-05"));
        assert_eq!(remembered("1", "2026-02-01").unwrap(), day("2026-01-05"));
        assert!(remembered("2", "2026-02-01").is_err());
    }

    #[test]
    fn a_score_is_a_decimal_in_a_text() {
        assert_eq!(number(&json!("42.50")), Some(42.5));
        assert_eq!(number(&json!(42.5)), Some(42.5));
        assert_eq!(number(&json!(null)), None);
    }
}
