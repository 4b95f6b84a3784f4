//! The numbers of the pages are those of the API and of the file.

use super::{Browser, Config, asked, id_of, made};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Provider};
use crate::live::ask;
use serde_json::{Value, json};

/// The sums that each row of the page of usage has, in its order; the cost comes after them.
const SUMS: [&str; 6] = ["attempts", "failed", "guessed", "input", "cached", "output"];

/// A gateway after six requests, one of which has failed, and the user's key.
fn used(one: &Provider, two: &Provider) -> (Run, String) {
    let answer = |input, output| {
        let usage = json!({"prompt_tokens": input, "completion_tokens": output});
        json!({"choices": [], "usage": usage}).to_string()
    };
    let mut config = Config::of(&[("one", one), ("two", two)]);
    config.tables =
        "[usage]\nmeter = \"all\"\n[retries]\nmax = 0\n[prices.m]\ninput = 2\noutput = 10\n"
            .to_owned();
    let run = Run::start(&config.text());
    let browser = Browser::logged_in(&run);
    assert_eq!(browser.post_from("/ui/users", "/ui/users", &[("id", "ann")]).status, 303);
    let key = made(&browser.post_from("/ui/keys", "/ui/keys", &[("user", "ann")]).text());
    one.always("", 200, answer(12_000, 100));
    two.always("", 200, answer(1000, 5));
    (0..3).for_each(|_| assert_eq!(asked(&run, &key, "one:m").status, 200));
    (0..2).for_each(|_| assert_eq!(ask(run.addr(), "two:m").status, 200));
    one.script("", Answer::json(500, &json!({})));
    assert_eq!(asked(&run, &key, "one:m").status, 500);
    wait::until_true("the requests in the ledger", || report(&run, "day")[0]["attempts"] == 6);
    (run, key)
}

/// The rows of `/admin/usage`.
fn report(run: &Run, by: &str) -> Vec<Value> {
    let request = Request::new("GET", format!("/admin/usage?by={by}"));
    let request = request.header("authorization", format!("Bearer {}", run.admin_key()));
    let answer = h1::exchange(run.addr(), &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["rows"].as_array().expect("rows").clone()
}

/// The cells of the row with this head, without the spaces in numbers.
fn cells(page: &str, head: &str) -> Vec<String> {
    let start = format!("<th scope=\"row\">{head}</th>");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no {head} in {page}"));
    let row = rest.split_once("</tr>").expect("an end").0;
    let cell =
        |text: &str| Some(text.split_once('>')?.1.split_once("</td>")?.0.replace('\u{202f}', ""));
    row.split("<td").skip(1).map(|text| cell(text).expect("a cell")).collect()
}

/// A cost as pages show one below a dollar.
fn money(row: &Value) -> String {
    let nanos = row["cost_nanos"].as_u64().expect("a cost");
    assert!((1..1_000_000_000).contains(&nanos) && nanos.is_multiple_of(100_000), "{nanos}");
    format!("$0.{:04}", nanos / 100_000)
}

#[test]
fn the_overview_has_what_the_api_has() {
    let (one, two) = (Provider::start(), Provider::start());
    let (run, _) = used(&one, &two);
    let [day] = &report(&run, "day")[..] else { panic!("more than a day") };
    assert_eq!((&day["attempts"], &day["failed"]), (&json!(6), &json!(1)), "{day}");
    assert_eq!((&day["input"], &day["output"]), (&json!(38_000), &json!(310)), "{day}");
    let page = Browser::logged_in(&run).page("/ui");
    for (head, name) in [
        ("Attempts", "attempts"),
        ("Failed", "failed"),
        ("Tokens in", "input"),
        ("Tokens out", "output"),
    ] {
        // The last hour, today, and the last 30 days.
        assert_eq!(cells(&page, head), vec![day[name].to_string(); 3], "{head}");
    }
    assert_eq!(cells(&page, "Cost"), vec![money(day); 3]);
    let (_, table) =
        page.split_once("<summary>The numbers of the chart</summary>").expect("a table");
    let row = cells(table, day["day"].as_str().expect("a day"));
    let counts = ["attempts", "failed", "input", "output"].map(|name| day[name].to_string());
    assert_eq!(row, [&counts[..], &[money(day)]].concat());
}

#[test]
fn usage_by_key_and_by_user_is_that_of_the_api_and_of_the_file() {
    let (one, two) = (Provider::start(), Provider::start());
    let (run, key) = used(&one, &two);
    let browser = Browser::logged_in(&run);
    for (by, owner) in [("key", id_of(&key)), ("user", "ann")] {
        let rows = report(&run, by);
        let names: Vec<_> = rows.iter().map(|row| row[by].as_str().expect("a name")).collect();
        assert_eq!(names, ["", owner], "{by}");
        let page = browser.page(&format!("/ui/usage?by={by}"));
        let file = browser.get(&format!("/ui/usage.csv?by={by}&since=30d"));
        assert_eq!(file.status, 200, "{}", file.text());
        let file = file.text();
        let head: Vec<_> = file.lines().next().expect("a head").split(',').collect();
        for (row, line) in rows.iter().zip(file.lines().skip(1)) {
            let name = row[by].as_str().expect("a name");
            let sums = SUMS.map(|name| row[name].to_string());
            let shown = cells(&page, if name.is_empty() { "none" } else { name });
            assert_eq!(shown, [&sums[..], &[money(row)]].concat(), "{by} {name}");
            let text = |name: &&str| {
                row[*name].as_str().map_or_else(|| row[*name].to_string(), str::to_owned)
            };
            let wanted: Vec<_> = head.iter().map(text).collect();
            assert_eq!(line, wanted.join(","), "{by} {name}");
        }
        assert_eq!((head[0], file.lines().count()), (by, 3), "{file}");
        assert_eq!(cells(&page, "All")[0], "6", "{by}");
    }
}
