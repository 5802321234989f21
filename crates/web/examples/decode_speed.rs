//! Prints how many rows a second the decoder reads and checks: `cargo run --release -p dunlin-web --example decode_speed`.
//!
//! The rows are invoices of the profile `generic`, the chunks are of 64 KiB as a server delivers them, and the slices
//! are thrown away, so that the figure is that of decoding alone.

use dunlin_domain::contract::ingest::{ImportKind, Profile};
use dunlin_domain::profile::Slice;
use dunlin_web::decode::{Decoder, Fault, Format, Reached};
use std::{fmt::Write as _, time::Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse::<u32>())?;
    let (mut csv, mut ndjson) =
        (String::from("id,customer_id,kind,issued_on,due_on,amount,currency\n"), String::new());
    for n in 0..rows {
        let (id, customer, day, cents) = (n + 1, n % 100_000, n % 28 + 1, n % 100);
        writeln!(
            csv,
            "INV-{id:08},C-{customer:06},invoice,2024-03-{day:02},2024-04-{day:02},{}.{cents:02},CNY",
            n % 9_000
        )?;
        writeln!(
            ndjson,
            r#"{{"id":"INV-{id:08}","customer_id":"C-{customer:06}","kind":"invoice","issued_on":"2024-03-{day:02}","due_on":"2024-04-{day:02}","amount":{}.{cents:02},"currency":"CNY"}}"#,
            n % 9_000
        )?;
    }
    for (name, format, body) in [("csv", Format::Csv, csv), ("ndjson", Format::Ndjson, ndjson)] {
        for _ in 0..3 {
            report(name, format, body.as_bytes())?;
        }
    }
    Ok(())
}

fn report(name: &str, format: Format, body: &[u8]) -> Result<(), Fault> {
    let began = Instant::now();
    let (mut records, mut bytes) = (0u64, 0usize);
    let mut sink = |slice: &mut Slice, _: &Reached| {
        records += slice.records();
        let json = slice.invoices.take();
        bytes += json.len();
        slice.invoices.reuse(json);
        Ok::<(), Fault>(())
    };
    let mut decoder =
        Decoder::new(format, &Profile::generic(), ImportKind::Invoices, |_| true, 50_000)?;
    for chunk in body.chunks(64 * 1024) {
        decoder.feed(chunk, &mut sink)?;
    }
    decoder.finish(&mut sink)?;
    let seconds = began.elapsed().as_secs_f64();
    let errors = decoder.slice().errors.len();
    println!(
        "{name}: {records} records, {errors} errors, {:.0} MB in, {:.0} MB out, {seconds:.3} s, {:.0} rows/s",
        body.len() as f64 / 1e6,
        bytes as f64 / 1e6,
        records as f64 / seconds
    );
    Ok(())
}
