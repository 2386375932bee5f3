//! One user's way through the steps.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use edgeproof_load::{Broken, Random};
use edgeproof_scenario::model::{BodySpec, Capture, CaptureFrom, JourneyStep, Template};
use edgeproof_scenario::{Part, at_pointer};
use goose::prelude::{GooseUser, TransactionResult};
use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Client, Method, Request, Url};

use crate::play::Stage;
use crate::tally::Answered;

/// A user, apart from its cookies.
struct Visitor {
    /// From 0.
    number: usize,
    iterations: u64,
    random: Random,
}

/// What a user was told since it began its round, by the names of the captures.
type Told = BTreeMap<String, Vec<u8>>;

/// A user comes: with no cookies.
pub(crate) async fn enter(stage: &Stage, user: &mut GooseUser) -> TransactionResult {
    user.set_client_builder(stage.way.client()).await.map_err(Box::new)?;
    let number = user.weighted_users_index;
    // The same thoughts in every run, and others for every user.
    let random = Random::new(number as u64);
    user.set_session_data(Visitor { number, iterations: 0, random });
    Ok(())
}

/// A user does all steps, or those before one that does not come to what it must.
pub(crate) async fn round(stage: &Stage, user: &mut GooseUser) {
    let client = user.client.clone();
    let Some(visitor) = user.get_session_data_mut::<Visitor>() else { return };
    if all_steps(stage, &client, visitor).await.is_some() {
        stage.tally().rounds += 1;
    }
    visitor.iterations += 1;
    if stage.plan.iterations == Some(visitor.iterations) {
        stage.user_done();
        // Until the others have, too.
        std::future::pending::<()>().await;
    }
}

async fn all_steps(stage: &Stage, client: &Client, visitor: &mut Visitor) -> Option<()> {
    let mut told = Told::new();
    told.insert("index".to_owned(), visitor.number.to_string().into_bytes());
    for (at, step) in stage.plan.steps.iter().enumerate() {
        one_step(stage, client, at, &mut told).await?;
        let (least, most) = step.think;
        let thought = least + (most - least).mul_f64(visitor.random.unit());
        if thought > Duration::ZERO {
            tokio::time::sleep(thought).await;
        }
    }
    Some(())
}

/// Sends a step's request and looks at its answer. `None` where it did not come to what it must.
async fn one_step(stage: &Stage, client: &Client, at: usize, told: &mut Told) -> Option<()> {
    let step = &stage.plan.steps[at];
    let sent = stage.tally().sent(at);
    let came = match request(stage, step, told) {
        Ok(request) => exchange(client, request).await,
        Err(why) => Err((Broken::Unexpected, why)),
    };
    let judged = came.and_then(|(answered, answer)| {
        judge(step, &stage.parts[at], &answer, told).map_err(|why| (Broken::Unexpected, why))?;
        Ok(answered)
    });
    match judged {
        Ok(answered) => {
            stage.tally().answered(at, sent, answered);
            Some(())
        }
        Err((kind, why)) => {
            stage.tally().failed(at, sent, kind, &format!("step `{}`: {why}", step.name));
            None
        }
    }
}

/// What is looked at of an answer.
struct Answer {
    status: u16,
    headers: HeaderMap,
    content: Vec<u8>,
}

async fn exchange(
    client: &Client,
    request: Request,
) -> Result<(Answered, Answer), (Broken, String)> {
    let began = Instant::now();
    let response = client.execute(request).await.map_err(|error| broken(&error))?;
    let first_byte = Instant::now();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let content = response.bytes().await.map_err(|error| broken(&error))?.to_vec();
    let ended = Instant::now();
    let octets = content.len() as u64;
    let answered = Answered { status, octets, began, first_byte, ended };
    Ok((answered, Answer { status, headers, content }))
}

/// What went wrong, with its causes.
fn broken(error: &reqwest::Error) -> (Broken, String) {
    let kind = match error {
        error if error.is_timeout() => Broken::Timeout,
        error if error.is_connect() => Broken::Connect,
        _ => Broken::Receive,
    };
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        why.push_str(&format!(": {error}"));
        cause = error.source();
    }
    (kind, why)
}

fn judge(
    step: &JourneyStep,
    parts: &[Part],
    answer: &Answer,
    told: &mut Told,
) -> Result<(), String> {
    if !step.status.holds(answer.status) {
        return Err(format!("the status is {}, not {}", answer.status, step.status));
    }
    for (capture, part) in step.capture.iter().zip(parts) {
        let nothing = || format!("nothing to capture as `{}`", capture.name);
        let value = value(capture, answer).ok_or_else(nothing)?;
        let value = part.of(&value).map_err(|why| format!("{}: {why}", nothing()))?;
        told.insert(capture.name.clone(), value);
    }
    Ok(())
}

fn value(capture: &Capture, answer: &Answer) -> Option<Vec<u8>> {
    match &capture.from {
        CaptureFrom::Header(name) => {
            let lines: Vec<_> =
                answer.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
            (!lines.is_empty()).then(|| lines.join(&b", "[..]))
        }
        CaptureFrom::Body => Some(answer.content.clone()),
        CaptureFrom::Json(pointer) => at_pointer(&answer.content, pointer),
        CaptureFrom::Status => Some(answer.status.to_string().into_bytes()),
        // Of what a user cannot know; the binder refuses them.
        _ => None,
    }
}

/// The request as an HTTP library sends it; Host is the site's unless the step says another.
fn request(stage: &Stage, step: &JourneyStep, told: &Told) -> Result<Request, String> {
    let fill = |template: &Template| {
        let filled =
            template.render(|name| told.get(name).cloned().or_else(|| (stage.plan.known)(name)));
        filled.map_err(|missing| missing.to_string())
    };
    let asked = &step.request;
    let method = Method::from_bytes(&fill(&asked.method)?).map_err(|error| error.to_string())?;
    let target = String::from_utf8(fill(&asked.target)?).map_err(|error| error.to_string())?;
    if !target.starts_with('/') {
        return Err(format!("the request-target `{target}` does not begin with `/`"));
    }
    let url = Url::parse(&format!("{}{target}", stage.way.base)).map_err(|it| it.to_string())?;
    let mut request = Request::new(method, url);
    let headers = request.headers_mut();
    for (name, value) in &asked.headers {
        let Some(value) = value else { continue };
        let name = HeaderName::from_bytes(&fill(name)?).map_err(|error| error.to_string())?;
        let value = HeaderValue::from_bytes(&fill(value)?).map_err(|error| error.to_string())?;
        headers.append(name, value);
    }
    if !headers.contains_key(HOST) {
        let host = HeaderValue::from_str(&stage.plan.host).map_err(|error| error.to_string())?;
        headers.insert(HOST, host);
    }
    *request.body_mut() = match &asked.body {
        BodySpec::None => None,
        BodySpec::Bytes(template) => Some(Body::from(fill(template)?)),
        BodySpec::Fill { pattern, size } => {
            let size = usize::try_from(*size).unwrap_or(usize::MAX);
            Some(Body::from(pattern.iter().copied().cycle().take(size).collect::<Vec<u8>>()))
        }
    };
    Ok(request)
}
