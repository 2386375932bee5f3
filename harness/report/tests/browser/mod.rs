//! A headless Chromium under its driver, for one test: started, used and stopped here.

use std::{
    future::Future,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

/// How wide the window is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Desktop,
    /// 390 × 844 pixels.
    Phone,
}

/// Plays a test in a browser that shows the page. Where there is no Chromium, says so and does
/// nothing, unless `EDGEPROOF_REQUIRE_CHROMIUM` is set.
pub(crate) fn in_chromium<F>(page: &str, screen: Screen, test: impl FnOnce(Page) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (Some(chromium), Some(chromedriver)) = (find("chromium"), find("chromedriver")) else {
        let hint =
            "chromium and chromedriver are not installed (Debian: chromium, chromium-driver)";
        assert!(std::env::var_os("EDGEPROOF_REQUIRE_CHROMIUM").is_none(), "{hint}");
        eprintln!("not available: {hint}; the page was not tested");
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("report.html");
    std::fs::write(&file, page).expect("the page is written");
    let driver = Driver::start(&chromedriver, folder.path());
    let capabilities = capabilities(&chromium, folder.path(), screen);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let address = format!("http://127.0.0.1:{}", driver.port);
        let browser = WebDriver::new(&address, capabilities).await.expect("a session");
        let page = Page { browser: browser.clone(), url: format!("file://{}", file.display()) };
        let outcome = tokio::spawn(test(page)).await;
        // The browser goes away whatever became of the test.
        browser.quit().await.expect("the browser ends");
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic.into_panic());
        }
    });
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn capabilities(chromium: &Path, folder: &Path, screen: Screen) -> DesiredChromium {
    let mut capabilities = DesiredCapabilities::chrome();
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    for argument in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
        &profile,
    ] {
        capabilities.add_arg(argument).expect("an argument");
    }
    capabilities.set_binary(&chromium.to_string_lossy()).expect("a binary");
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a log level");
    if screen == Screen::Phone {
        let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true });
        let emulation = json!({ "deviceMetrics": metrics });
        capabilities.add_experimental_option("mobileEmulation", emulation).expect("an option");
    }
    capabilities
}

type DesiredChromium = thirtyfour::ChromeCapabilities;

/// chromedriver on a port that it chose itself.
struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    fn start(program: &Path, folder: &Path) -> Driver {
        let mut child = Command::new(program)
            .arg("--port=0")
            .env("TMPDIR", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        // What it writes later is read too, so that it never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Driver { child, port: port.expect("chromedriver says its port") }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Ends with it what it may still have started; both fail only where it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The report in the browser.
#[derive(Clone)]
pub(crate) struct Page {
    browser: WebDriver,
    url: String,
}

impl Page {
    /// Loads the page anew, at a fragment.
    pub(crate) async fn open(&self, fragment: &str) {
        // A fragment alone would not load the page again.
        self.browser.goto("about:blank").await.expect("a blank page");
        self.browser.goto(format!("{}{fragment}", self.url)).await.expect("the page loads");
    }

    /// The value of a JavaScript expression.
    pub(crate) async fn get(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        let value = self.browser.execute(script, Vec::new()).await;
        value.unwrap_or_else(|error| panic!("{expression}: {error}")).json().clone()
    }

    pub(crate) async fn text(&self, expression: &str) -> String {
        let value = self.get(expression).await;
        value.as_str().unwrap_or_else(|| panic!("{expression} is no text: {value}")).to_owned()
    }

    /// Waits until an expression holds: what a frame or a task does comes a moment later.
    pub(crate) async fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0], end = performance.now() + 10000; \
             (function look() {{ \
                 if ({expression}) done(true); \
                 else if (performance.now() > end) done(false); \
                 else requestAnimationFrame(look); }})()"
        );
        let value = self.browser.execute_async(script, Vec::new()).await.expect("a script");
        assert_eq!(value.json(), &Value::Bool(true), "never came true: {expression}");
    }

    /// A click as a person makes it: the element must be there, visible and not covered.
    pub(crate) async fn click(&self, selector: &str) {
        let element = self.browser.find(thirtyfour::By::Css(selector)).await;
        let element = element.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Keys sent to an element.
    pub(crate) async fn keys(&self, selector: &str, keys: &str) {
        let element = self.browser.find(thirtyfour::By::Css(selector)).await;
        let element = element.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.send_keys(keys).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Chooses an option of a select, as a change by a person.
    pub(crate) async fn choose(&self, select: &str, value: &str) {
        let option = format!("{select} option[value='{value}']");
        self.click(&option).await;
    }

    /// Nothing in the console (a blocked script or request says so there), nothing loaded.
    pub(crate) async fn quiet(&self) {
        let log = self.browser.browser_log().await.expect("the console's log");
        let messages: Vec<String> = log.into_iter().map(|entry| entry.message).collect();
        assert_eq!(messages, Vec::<String>::new(), "the console");
        let loaded = self.get("performance.getEntriesByType('resource').length").await;
        assert_eq!(loaded, 0, "nothing is loaded");
    }
}
