// SPDX-License-Identifier: Apache-2.0

//! Endpoints that behave and that do not.

use super::*;
use std::sync::{
    atomic::{AtomicU32, Ordering},
    Arc,
};
use tos_sdk::testing::http as mock;

pub const TIME: Duration = Duration::from_secs(20);
const MOST: u32 = 2_048;
const GOOD: &str = r#"{"answer": "the good answer, long enough"}"#;

pub fn endpoint(url: &str) -> Endpoint {
    let options = Options {
        model: Some("test".into()),
        api_key: Some("key".into()),
        ..Default::default()
    };
    Endpoint::new(url, options).unwrap()
}

pub fn reply(content: &str) -> String {
    finished(json!(content), "stop")
}

fn finished(content: Value, reason: &str) -> String {
    let message = json!({"role": "assistant", "content": content});
    json!({"choices": [{"index": 0, "message": message, "finish_reason": reason}]}).to_string()
}

/// Result of asking an endpoint that gives these replies, the last one for ever, and how
/// often it was asked.
async fn asked(replies: Vec<(u16, &'static str, String)>, time: Duration) -> (Result<Value>, u32) {
    let (endpoint, count) = serving(replies).await;
    let solved = endpoint
        .solve(&Http::new().unwrap(), &json!({}), MOST, time)
        .await;
    (
        solved.map(|solution| solution.answer),
        count.load(Ordering::SeqCst),
    )
}

async fn serving(replies: Vec<(u16, &'static str, String)>) -> (Endpoint, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let seen = count.clone();
    let base = mock::serve_with_headers(move |_| {
        let turn = seen.fetch_add(1, Ordering::SeqCst) as usize;
        let (status, after, body) = replies.get(turn).or(replies.last()).unwrap().clone();
        let headers = match after {
            "" => vec![],
            after => vec![("retry-after", after.to_owned())],
        };
        (status, headers, body)
    })
    .await;
    (endpoint(&base), count)
}

fn ok(body: String) -> (u16, &'static str, String) {
    (200, "", body)
}

fn text(result: Result<Value>) -> String {
    match result {
        Ok(answer) => format!("answered {answer}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_model_is_asked_as_documented() {
    let base = mock::serve(|seen| {
        assert_eq!(seen.path, "/v1/chat/completions");
        assert_eq!(seen.authorization.as_deref(), Some("Bearer key"));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["model"], "test");
        let system = body["messages"][0]["content"].as_str().unwrap();
        assert!(system.starts_with(ROLE) && system.contains(RULES));
        assert!(system.contains("from 10 to 2048 bytes") && system.contains("20 seconds"));
        assert_eq!(body["messages"][1]["content"], r#"{"a":1,"b":2}"#);
        assert_eq!(body["response_format"]["type"], "json_schema");
        assert_eq!(
            (&body["max_tokens"], &body["temperature"]),
            (&json!(99), &json!(0.5))
        );
        (200, reply("```json\n{\"answer\": {\"value\": 42}}\n```"))
    })
    .await;
    let mut endpoint = endpoint(&base);
    endpoint.options.max_tokens = Some(99);
    endpoint.options.temperature = Some(0.5);
    let http = Http::new().unwrap();
    let input = json!({"b": 2, "a": 1});
    let answer = endpoint.solve(&http, &input, MOST, TIME).await.unwrap();
    assert_eq!(answer.answer, json!({"value": 42}));
}

#[tokio::test]
async fn a_specification_in_plain_text_is_shown_as_what_it_is() {
    let base = mock::serve(|seen| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["messages"][1]["content"], "What is 6 * 7?");
        let schema = &body["response_format"]["json_schema"]["schema"];
        let string = json!({"type": "string", "minLength": 10});
        assert_eq!(schema["properties"], json!({"answer": string}));
        (200, reply(GOOD))
    })
    .await;
    let http = Http::new().unwrap();
    let input = json!({"task": {}, "spec": null, "specText": "What is 6 * 7?"});
    endpoint(&base)
        .solve(&http, &input, MOST, TIME)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_answer_is_found_in_replies_of_every_shape() {
    let think = "<think>maybe ```json\n{\"answer\": \"draft, wrong answer\"}\n``` no</think>\n";
    let parts = json!([{"type": "thinking", "thinking": []}, {"type": "text", "text": GOOD}]);
    let mut reasoned: Value = serde_json::from_str(&reply(GOOD)).unwrap();
    reasoned["choices"][0]["message"]["reasoning_content"] = json!(r#"{"answer": "a draft"}"#);
    for body in [
        reply(GOOD),
        reply(&format!("{think}{GOOD}")),
        reply(&format!("Here is my answer: {GOOD}\nHope this helps!")),
        finished(parts, "stop"),
        reasoned.to_string(),
    ] {
        let (answer, times) = asked(vec![ok(body.clone())], TIME).await;
        assert_eq!(answer.unwrap(), "the good answer, long enough", "{body}");
        assert_eq!(times, 1);
    }
}

#[tokio::test]
async fn a_reply_that_was_cut_off_or_refused_is_no_answer() {
    let cut = finished(
        json!(r#"{"answer": "this sentence was cut in the mid"#),
        "length",
    );
    let (answer, times) = asked(vec![ok(cut)], TIME).await;
    let error = answer.unwrap_err();
    assert!(error.to_string().contains("--max-tokens"), "{error}");
    assert_eq!(times, 1);
    let refused = json!({"choices": [{"message": {"content": null, "refusal": "I cannot"}}]});
    for body in [finished(json!(GOOD), "content_filter"), refused.to_string()] {
        let (answer, times) = asked(vec![ok(body)], TIME).await;
        assert!(matches!(answer, Err(Error::Declined(_))));
        assert_eq!(times, 1);
    }
}

#[tokio::test]
async fn words_without_json_are_an_answer_only_where_no_form_could_be_asked_for() {
    let (answer, times) = asked(vec![ok(reply("plain prose, long enough"))], TIME).await;
    assert!(text(answer).contains("no JSON object with a field `answer`"));
    assert_eq!(times, MAX_USELESS);
    let refusal = |word: &str| {
        let body = json!({"error": {"message": format!("{word} is not supported")}});
        (400, "", body.to_string())
    };
    let prose = ok(reply("plain prose, long enough"));
    let replies = vec![refusal("json_schema"), refusal("response_format"), prose];
    let (answer, times) = asked(replies, TIME).await;
    assert_eq!(answer.unwrap(), "plain prose, long enough");
    assert_eq!(times, 3);
    assert!(solution("half {\"answer\": \"an obj", Form::Prompt).is_none());
    assert!(solution("<think>only a thought", Form::Prompt).is_none());
}

#[tokio::test]
async fn answers_that_the_chain_does_not_take_are_asked_for_again() {
    let short = reply(r#"{"answer": "42"}"#);
    let long = reply(&json!({"answer": "x".repeat(3_000)}).to_string());
    let (answer, times) = asked(vec![ok(short.clone()), ok(long), ok(reply(GOOD))], TIME).await;
    assert_eq!((answer.is_ok(), times), (true, 3));
    let (answer, _) = asked(vec![ok(short)], TIME).await;
    let error = text(answer);
    assert!(error.contains("2 bytes; 10 to 2048"), "{error}");
}

#[tokio::test]
async fn errors_inside_of_a_good_status_are_shown() {
    let body = |code: Value| {
        json!({"error": {"message": "free-models-per-day", "code": code}}).to_string()
    };
    let (answer, _) = asked(vec![ok(body(json!(429)))], Duration::from_secs(1)).await;
    let error = text(answer);
    assert!(
        error.contains("timed out") && error.contains("free-models-per-day"),
        "{error}"
    );
    let (answer, times) = asked(vec![ok(body(json!(402)))], TIME).await;
    assert!(matches!(answer, Err(Error::Broken(_))));
    assert_eq!(times, 1);
    let none = json!({"choices": [], "message": "all busy"}).to_string();
    let (answer, _) = asked(vec![ok(none)], Duration::from_secs(1)).await;
    assert!(text(answer).contains("all busy"));
}

#[tokio::test]
async fn passing_trouble_is_retried() {
    let replies = vec![
        (408, "", String::new()),
        (503, "", String::new()),
        ok("not JSON".into()),
        ok(reply(" ")),
        ok(reply(GOOD)),
    ];
    let (answer, times) = asked(replies, TIME).await;
    assert_eq!((answer.is_ok(), times), (true, 5));
}

#[tokio::test]
async fn a_pause_that_the_endpoint_asks_for_is_kept() {
    let started = Instant::now();
    let (answer, times) = asked(vec![(429, "2", String::new()), ok(reply(GOOD))], TIME).await;
    assert_eq!((answer.is_ok(), times), (true, 2));
    assert!(started.elapsed() >= Duration::from_secs(2));

    // One that is longer than the time left is a failure at once, also for the next task.
    let started = Instant::now();
    let (endpoint, count) = serving(vec![(429, "120", String::new())]).await;
    let http = Http::new().unwrap();
    for _ in 0..2 {
        let error = endpoint
            .solve(&http, &json!({}), MOST, TIME)
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), 5, "{error}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(endpoint.unfit().unwrap().contains("pause"));
}

#[tokio::test]
async fn an_endpoint_that_does_not_work_is_told_apart_from_a_task_that_does_not() {
    let quota = json!({"error": {"type": "insufficient_quota", "message": "no money"}});
    for (status, body) in [
        (401, "bad key".into()),
        (402, "pay".into()),
        (429, quota.to_string()),
    ] {
        let (endpoint, count) = serving(vec![(status, "120", body)]).await;
        assert_eq!(endpoint.unfit(), None);
        let http = Http::new().unwrap();
        let error = endpoint
            .solve(&http, &json!({}), MOST, TIME)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{error}");
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert!(endpoint.unfit().is_some());
    }
    let (endpoint, _) = serving(vec![(400, "", "odd task".into())]).await;
    let http = Http::new().unwrap();
    let error = endpoint
        .solve(&http, &json!({}), MOST, TIME)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Failed(_)) && endpoint.unfit().is_none(),
        "{error}"
    );
}

#[tokio::test]
async fn what_an_endpoint_does_not_know_is_left_out_from_then_on() {
    let bodies = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = bodies.clone();
    let base = mock::serve(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let refuse = |why: &str| (400, json!({"error": {"message": why}}).to_string());
        let answer = if body["response_format"]["type"] == "json_schema" {
            refuse("'response_format' of type 'json_schema' is not supported")
        } else if body.get("max_tokens").is_some() {
            refuse("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        } else if body.get("temperature").is_some() {
            refuse("'temperature' does not support 0.0 with this model")
        } else {
            (200, reply(GOOD))
        };
        seen.lock().unwrap().push(body);
        answer
    })
    .await;
    let mut endpoint = endpoint(&base);
    endpoint.options.max_tokens = Some(500);
    endpoint.options.temperature = Some(0.0);
    let http = Http::new().unwrap();
    endpoint.solve(&http, &json!({}), MOST, TIME).await.unwrap();
    assert_eq!(bodies.lock().unwrap().len(), 4);
    endpoint.solve(&http, &json!({}), MOST, TIME).await.unwrap();
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 5);
    assert_eq!(bodies[4]["response_format"], json!({"type": "json_object"}));
    assert_eq!(bodies[4]["max_completion_tokens"], 500);
    assert!(bodies[4].get("temperature").is_none());
}

#[tokio::test]
async fn an_endpoint_that_stays_away_costs_no_more_than_the_time_limit() {
    let started = Instant::now();
    let time = Duration::from_secs(2);
    let (answer, _) = asked(vec![(500, "", String::new())], time).await;
    assert_eq!(answer.unwrap_err().exit_code(), 5);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn the_only_model_is_taken_and_a_missing_one_is_said_at_the_start() {
    let base = mock::serve(|seen| match seen.path.as_str() {
        "/one/models" => (200, json!({"data": [{"id": "only"}]}).to_string()),
        "/two/models" => (200, json!({"data": [{"id": "a"}, {"id": "b"}]}).to_string()),
        "/locked/models" => (401, "who are you".into()),
        path if path.ends_with("/models") => (404, String::new()),
        _ => {
            let body: Value = serde_json::from_slice(&seen.body).unwrap();
            (
                200,
                reply(&json!({"answer": {"model": body["model"]}}).to_string()),
            )
        }
    })
    .await;
    let http = Http::new().unwrap();
    let prepared = async |path: &str, model: Option<&str>| {
        let options = Options {
            model: model.map(str::to_owned),
            ..Default::default()
        };
        let endpoint = Endpoint::new(&format!("{base}/{path}"), options).unwrap();
        endpoint.prepare(&http).await.map(|()| endpoint)
    };
    let endpoint = prepared("one", None).await.unwrap();
    let solved = endpoint.solve(&http, &json!({}), MOST, TIME).await.unwrap();
    assert_eq!(solved.answer, json!({"model": "only"}));
    assert!(prepared("two", Some("b")).await.is_ok());
    assert!(prepared("none", Some("any")).await.is_ok());
    for (path, model, says) in [
        ("two", None, "a, b"),
        ("two", Some("c"), "a, b"),
        ("none", None, "--model"),
        ("locked", Some("a"), "--api-key-env"),
    ] {
        let error = prepared(path, model).await.err().unwrap();
        assert_eq!(error.exit_code(), 2, "{path}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_away_at_the_start_is_not_relied_on() {
    let http = Http::new().unwrap();
    let away = endpoint("http://127.0.0.1:1");
    away.prepare(&http).await.unwrap();
    assert!(away.unfit().unwrap().contains("connection"));
}

#[tokio::test]
async fn a_miner_joins_nothing_while_its_endpoint_does_not_work() {
    use crate::{
        commitments::CommitmentStore,
        tasks::{
            fake::{self, FakeChain},
            Miner, Program, Role,
        },
    };
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![fake::task_view(1)], false);
    let endpoint = endpoint("http://127.0.0.1:1");
    endpoint.state.lock().broken("no money".into(), false);
    let options = fake::miner_options(Program::Endpoint(endpoint.clone()));
    let journal = CommitmentStore::open(&folder.path().join("journal.redb")).unwrap();
    let mut miner = Miner::new(options, journal, workshop);
    chain.advance();
    assert_eq!(miner.step(&chain).await.unwrap().sent, 0);
    endpoint.state.lock().works();
    assert_eq!(miner.step(&chain).await.unwrap().sent, 1);
}
