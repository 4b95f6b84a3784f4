//! The ledger counts each attempt once, whatever comes twice, late, torn or not at all.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::*;
use crate::config::File;
use crate::native::database::{Databases, testing};
use crate::native::prices::{Prices, SharedPrices};
use crate::usage::{Admission, Basis, Operation, Record, Settlement, Tier, Usage};

const PREFIX: &str = "[2026-11-29 12:00:00.000][warning][wasm] wasm log gaud gaud gaud: ";

/// 2026-11-29, noon.
const NOON_MS: u64 = 1_795_953_600_000;

fn admission(request: &str) -> Admission {
    Admission {
        request: request.to_owned(),
        attempt: 1,
        begun_ms: NOON_MS,
        key: String::new(),
        user: String::new(),
        provider: "one".to_owned(),
        model: "gpt-4o".to_owned(),
        asked: "one:gpt-4o".to_owned(),
        operation: Operation::Chat,
        request_bytes: 400,
    }
}

fn begun(request: &str) -> String {
    format!("{PREFIX}{}", Record::Begun(admission(request)).to_line())
}

fn ended(request: &str) -> String {
    let settlement = Settlement {
        admission: admission(request),
        status: 200,
        basis: Basis::Counted,
        tier: Tier::Standard,
        usage: Usage { input: 1000, output: 100, ..Usage::NONE },
        duration_ms: 7,
        first_ms: Some(5),
    };
    format!("{PREFIX}{}", Record::Ended(settlement).to_line())
}

fn prices() -> Prices {
    Prices::of(&File::default()).unwrap()
}

fn since() -> Day {
    Day::of_ms(NOON_MS).before(30)
}

fn all() -> Query {
    Query { by: Vec::new(), since: Day::of_ms(0), until: Day::of_ms(NOON_MS) }
}

/// Attempts, failed, guessed, input, output, nano-dollars.
fn sums(ledger: &Ledger) -> [i64; 6] {
    let rows = ledger.report(&all()).unwrap();
    let Some(row) = rows.first() else { return [0; 6] };
    let [attempts, failed, guessed, input, output] =
        ["attempts", "failed", "guessed", "input", "output"].map(|name| row.sum(name));
    [attempts, failed, guessed, input, output, row.cost_nanos]
}

/// 1000 · $2.5 + 100 · $10, for a million.
const COST: i64 = 3_500_000;

fn take(ledger: &mut Ledger, lines: &[String]) -> Counted {
    let mut batch = Batch::default();
    lines.iter().for_each(|line| _ = batch.take(line));
    ledger.take(&batch, "a", 0, since(), &prices()).unwrap()
}

#[test]
fn an_attempt_counts_once_however_often_its_records_come() {
    testing::on_both(|databases| {
        let mut ledger = Ledger::open(databases).unwrap();
        let lines = [begun("a"), ended("a"), begun("b"), ended("b")];
        assert_eq!(take(&mut ledger, &lines), Counted { new: 2, known: 0, old: 0 });
        assert_eq!(take(&mut ledger, &lines), Counted { new: 0, known: 2, old: 0 });
        assert_eq!(sums(&ledger), [2, 0, 0, 2000, 200, 2 * COST]);
        // One record after the other, in any order.
        for line in [ended("c"), begun("c"), ended("c")] {
            take(&mut ledger, &[line]);
        }
        assert_eq!(sums(&ledger), [3, 0, 0, 3000, 300, 3 * COST]);
        assert_eq!(ledger.close("a", since(), &prices()).unwrap(), 0);
    });
}

#[test]
fn an_attempt_without_an_end_is_charged_and_corrected() {
    testing::on_both(|databases| {
        let mut ledger = Ledger::open(databases).unwrap();
        take(&mut ledger, &[begun("a"), ended("a"), begun("b")]);
        assert_eq!(sums(&ledger), [1, 0, 0, 1000, 100, COST]);
        assert_eq!(ledger.close("a", since(), &prices()).unwrap(), 1);
        // 400 bytes are 100 tokens; answers of the model have had 100 tokens.
        assert_eq!(sums(&ledger), [2, 0, 1, 1100, 200, COST + 1_250_000]);
        assert_eq!(ledger.close("a", since(), &prices()).unwrap(), 0);
        assert_eq!(take(&mut ledger, &[ended("b")]), Counted { new: 1, known: 0, old: 0 });
        assert_eq!(sums(&ledger), [2, 0, 0, 2000, 200, 2 * COST]);
    });
}

#[test]
fn durations_are_those_of_attempts_with_an_end() {
    testing::on_both(|databases| {
        let mut ledger = Ledger::open(databases).unwrap();
        let of_days = |ledger: &Ledger, days| {
            let day = Day::of_ms(NOON_MS);
            ledger.durations(day.before(days), day).unwrap()
        };
        assert_eq!(of_days(&ledger, 30), Percentiles::default());
        take(&mut ledger, &[begun("a"), ended("a"), begun("b")]);
        ledger.close("a", since(), &prices()).unwrap();
        let seven = Percentiles { median_ms: Some(7), slow_ms: Some(7) };
        assert_eq!(of_days(&ledger, 0), seven, "the lost attempt has no duration");
        take(&mut ledger, &[ended("b")]);
        let yesterday = Day::of_ms(NOON_MS).before(1);
        assert_eq!(ledger.durations(yesterday, yesterday).unwrap(), Percentiles::default());
        assert_eq!(of_days(&ledger, 1), seven);
    });
}

#[test]
fn old_attempts_are_forgotten_and_their_sums_stay() {
    testing::on_both(|databases| {
        let mut ledger = Ledger::open(databases).unwrap();
        take(&mut ledger, &[ended("a")]);
        let tomorrow = Day::of_ms(NOON_MS + 86_400_000);
        ledger.forget(tomorrow).unwrap();
        assert_eq!(sums(&ledger), [1, 0, 0, 1000, 100, COST]);
        // A log that comes after that counts nothing twice.
        let mut batch = Batch::default();
        batch.take(&ended("a"));
        let counted = ledger.take(&batch, "a", 0, tomorrow, &prices()).unwrap();
        assert_eq!(counted, Counted { new: 0, known: 0, old: 1 });
        assert_eq!(sums(&ledger), [1, 0, 0, 1000, 100, COST]);
    });
}

#[test]
fn an_older_schema_is_brought_forward() {
    let gone = "DROP TABLE gateways; DROP TABLE leases; DROP TABLE lease_spent; DROP TABLE asked;
        DROP TABLE durations";
    let sqlite = "PRAGMA user_version = 1";
    let postgres = "UPDATE schemas SET number = 1";
    for (databases, set) in [(testing::sqlite(), sqlite), (testing::postgres(), postgres)] {
        let ledger = Ledger::open(&databases).unwrap();
        ledger.connection.run("DROP INDEX days_by_key; DROP INDEX days_by_user").unwrap();
        ledger.connection.run(gone).unwrap();
        ledger.connection.run(set).unwrap();
        drop(ledger);
        let ledger = Ledger::open(&databases).unwrap();
        ledger.connection.run("DROP INDEX days_by_key; DROP INDEX days_by_user").unwrap();
        assert_eq!(ledger.spend(Group::Key, "nobody").unwrap(), 0);
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let databases = testing::sqlite();
    Ledger::open(&databases).unwrap().connection.run("PRAGMA user_version = 9").unwrap();
    let problem = Ledger::open(&databases).err().unwrap().to_string();
    assert_eq!(
        problem,
        "the database ledger.db has schema 9, and this gaud knows 6; run the gaud that has written it, or a newer one"
    );
}

/// Follows a file to its end; the other lines.
fn follow(folder: &Folder, path: &Path) -> Vec<String> {
    let follower = folder.follow(path, SharedPrices::new(prices()), 36_500).unwrap();
    let other = Mutex::new(Vec::new());
    follower.run(&AtomicBool::new(false), |line| other.lock().unwrap().push(line));
    other.into_inner().unwrap()
}

#[test]
fn a_log_is_followed_to_its_end_and_removed() {
    testing::on_both(|databases| {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path(), databases.clone(), None).unwrap();
        let (mut file, path) = folder.begin().unwrap();
        let torn = ended("c");
        let begin = torn.get(..40).unwrap();
        let lines = [
            begun("a"),
            "[2026][warning][router] something else".to_owned(),
            ended("a"),
            torn.get(..torn.len() - 4).unwrap().to_owned(),
            begun("b"),
        ];
        file.write_all(format!("{}\n{}", lines.join("\n"), begin).as_bytes()).unwrap();
        // Envoy is gone when nobody has the file open any more.
        drop(file);
        assert_eq!(
            follow(&folder, &path),
            [
                "[2026][warning][router] something else",
                "gaud: 1 broken records of usage were skipped",
                begin,
                "gaud: 1 requests had no end when Envoy ended: the ledger has estimates, marked as lost"
            ]
        );
        assert!(folder.left().is_empty());
        let ledger = Ledger::open(databases).unwrap();
        assert_eq!(sums(&ledger)[..4], [2, 0, 1, 1100]);
    });
}

#[test]
fn a_follower_goes_on_where_another_was_killed() {
    testing::on_both(|databases| {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path(), databases.clone(), None).unwrap();
        let (mut file, path) = folder.begin().unwrap();
        let first: Vec<_> = (0..50).map(|number| ended(&format!("r{number}")) + "\n").collect();
        file.write_all(first.concat().as_bytes()).unwrap();
        // Killed between two batches: the offset is that of the first, and a part of a line was read.
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut ledger = Ledger::open(databases).unwrap();
        let mut batch = Batch::default();
        first[..20].iter().for_each(|line| _ = batch.take(line.trim_end()));
        let offset = first[..20].concat().len() as u64;
        ledger.take(&batch, &name, offset, Day::of_ms(0), &prices()).unwrap();
        drop(ledger);
        drop(file);
        assert!(follow(&folder, &path).is_empty());
        let ledger = Ledger::open(databases).unwrap();
        assert_eq!(sums(&ledger), [50, 0, 0, 50_000, 5000, 50 * COST]);
    });
}

/// The space of a journal goes back to the disk while Envoy writes on.
#[cfg(target_os = "linux")]
#[test]
fn the_space_of_a_journal_is_given_back() {
    use std::os::unix::fs::MetadataExt;
    let (data, databases) = (tempfile::tempdir().unwrap(), testing::sqlite());
    let folder = Folder::open(data.path(), databases.clone(), None).unwrap();
    let (mut file, path) = folder.begin().unwrap();
    let lines: String = (0..20_000).map(|number| ended(&format!("r{number}")) + "\n").collect();
    file.write_all(lines.as_bytes()).unwrap();
    let follower = folder.follow(&path, SharedPrices::new(prices()), 36_500).unwrap();
    let ended_flag = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let start = Instant::now();
        scope.spawn(|| follower.run(&ended_flag, |line| panic!("{line}")));
        let blocks = || fs::metadata(&path).map(|own| own.blocks() * 512).unwrap_or_default();
        while blocks() > lines.len() as u64 / 2 {
            assert!(start.elapsed().as_secs() < 60, "{} bytes stay", blocks());
            std::thread::yield_now();
        }
        // Envoy appends at the end, and not where the reader is.
        let mut again = OpenOptions::new().append(true).open(&path).unwrap();
        again.write_all(format!("{}\n", ended("last")).as_bytes()).unwrap();
        drop((file, again));
    });
    assert_eq!(sums(&Ledger::open(&databases).unwrap())[0], 20_001);
}

/// How many lines a second the ledger takes, of two for each request.
#[test]
#[ignore = "measures; run it alone"]
fn the_pace_of_the_ledger() {
    for (name, databases) in [("SQLite", testing::sqlite()), ("PostgreSQL", testing::postgres())] {
        println!("{name}: {:.0} lines a second", pace(&databases));
    }
}

fn pace(databases: &Databases) -> f64 {
    let data = tempfile::tempdir().unwrap();
    let folder = Folder::open(data.path(), databases.clone(), None).unwrap();
    let (mut file, path) = folder.begin().unwrap();
    let requests = 100_000;
    let lines: String = (0..requests)
        .map(|number| {
            format!("{}\n{}\n", begun(&format!("r{number}")), ended(&format!("r{number}")))
        })
        .collect();
    file.write_all(lines.as_bytes()).unwrap();
    drop(file);
    let start = Instant::now();
    follow(&folder, &path);
    let pace = 2.0 * f64::from(requests) / start.elapsed().as_secs_f64();
    assert_eq!(sums(&Ledger::open(databases).unwrap())[0], i64::from(requests));
    pace
}

/// So many attempts, one each second, of which every third failed.
pub(in crate::native) fn many(ledger: &mut Ledger, count: u64) {
    let line = |number: u64| {
        let mut admission = admission(&format!("r{number:04}"));
        admission.begun_ms += number * 1000;
        admission.key = format!("k{}", number % 2);
        let is_failed = number.is_multiple_of(3);
        let settlement = Settlement {
            admission,
            status: if is_failed { 503 } else { 200 },
            basis: if is_failed { Basis::Failed } else { Basis::Counted },
            tier: Tier::Standard,
            usage: Usage { input: 1000, output: 100, ..Usage::NONE },
            duration_ms: number,
            first_ms: None,
        };
        format!("{PREFIX}{}", Record::Ended(settlement).to_line())
    };
    take(ledger, &(0..count).map(line).collect::<Vec<_>>());
}

#[test]
fn the_newest_attempts_come_in_pages() {
    testing::on_both(|databases| {
        let mut ledger = Ledger::open(databases).unwrap();
        many(&mut ledger, 25);
        let all = |wanted: &Wanted| {
            let (mut requests, mut from) = (Vec::new(), None);
            loop {
                let page = ledger.requests(wanted, from.as_ref(), 10).unwrap();
                assert!(page.rows.len() <= 10);
                requests.extend(page.rows.into_iter().map(|row| row.request));
                let Some(next) = page.next else { return requests };
                assert_eq!(Cursor::parse(&next.to_text()), Some(next.clone()));
                from = Some(next);
            }
        };
        let of = |is_wanted: &dyn Fn(u64) -> bool| {
            let numbers = (0..25).rev().filter(|number| is_wanted(*number));
            numbers.map(|number| format!("r{number:04}")).collect::<Vec<_>>()
        };
        assert_eq!(all(&Wanted::default()), of(&|_| true));
        let wanted = Wanted { key: Some("k1".to_owned()), with_errors: true, ..Wanted::default() };
        assert_eq!(all(&wanted), of(&|number| number % 2 == 1 && number.is_multiple_of(3)));
        for model in ["gpt-4o", "one:gpt-4o"] {
            let wanted = Wanted { model: Some(model.to_owned()), ..Wanted::default() };
            assert_eq!(all(&wanted).len(), 25, "{model}");
        }
        let nobodys = Wanted { provider: Some("two".to_owned()), ..Wanted::default() };
        assert_eq!(all(&nobodys), Vec::<String>::new());
        assert_eq!(Cursor::parse("x"), None);
    });
}

#[test]
fn sums_of_the_newest_attempts() {
    testing::on_both(|databases| {
        let mut ledger = Ledger::open(databases).unwrap();
        assert_eq!(ledger.recent(0).unwrap(), Recent::default());
        many(&mut ledger, 25);
        let since = i64::try_from(NOON_MS).unwrap() + 5_000;
        let recent = ledger.recent(since).unwrap();
        assert_eq!((recent.attempts, recent.with_errors, recent.input), (20, 7, 20_000));
        assert_eq!(recent.cost_nanos, 13 * COST);
        // Of 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23.
        assert_eq!(recent.durations, Percentiles { median_ms: Some(14), slow_ms: Some(23) });
        assert!(!recent.is_cut);
    });
}
