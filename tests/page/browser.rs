//! A Chromium of our own and the little of its debugging protocol that the checks need: commands and events as JSON, separated by NUL,
//! over a pipe. A deadline on every wait, and no browser left behind.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// The longest wait for one message: a broken browser ends the test, and a slow machine does not.
const DEADLINE: Duration = Duration::from_mins(10);

const FLAGS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--remote-debugging-pipe",
];

/// The browser that is named, or the first on the path.
pub fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("BENCH_CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    names.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name))).find(|file| file.is_file())
}

pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last_id: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        // It reads commands from descriptor 3 and writes to 4; what it prints is of no use.
        command.args(["-c", "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null", "sh"]).arg(program).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut child = command.env("HOME", profile.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, from) = channel();
        // Ends with the browser, when its pipe closes.
        std::thread::spawn(move || {
            for message in BufReader::new(stdout).split(0) {
                let Ok(message) = message else { return };
                let Ok(value) = serde_json::from_slice(&message) else { return };
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self { child, to, from, last_id: 0, _profile: profile }
    }

    /// A new tab with that file, once it is loaded.
    pub fn open(&mut self, file: &Path) -> Tab<'_> {
        let mut events = Vec::new();
        let target = self.call(None, "Target.createTarget", &json!({"url": "about:blank"}), &mut events);
        let attached = self.call(None, "Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}), &mut events);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut tab = Tab { browser: self, session, events: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        // The processor's time of the page's thread: how long it takes in all is up to what else the machine does.
        tab.call("Performance.enable", json!({"timeDomain": "threadTicks"}));
        tab.size(1200, 900);
        tab.call("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        tab.wait("Page.loadEventFired");
        tab
    }

    /// Sends a command and waits for its answer; events that come meanwhile are kept.
    fn call(&mut self, session: Option<&str>, method: &str, params: &Value, events: &mut Vec<Value>) -> Value {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let mut text = command.to_string().into_bytes();
        text.push(0);
        self.to.write_all(&text).unwrap();
        loop {
            let message = self.next(method);
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            events.push(message);
        }
    }

    fn next(&self, awaited: &str) -> Value {
        self.from.recv_timeout(DEADLINE).unwrap_or_else(|error| panic!("no word from the browser while waiting for {awaited}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Tab<'a> {
    browser: &'a mut Browser,
    session: String,
    /// All that was heard and not asked for.
    pub events: Vec<Value>,
}

impl Tab<'_> {
    #[expect(clippy::needless_pass_by_value, reason = "every caller makes its parameters on the spot")]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.browser.call(Some(&self.session), method, &params, &mut self.events)
    }

    /// Waits for an event that has not been heard yet.
    pub fn wait(&mut self, method: &str) {
        if self.events.iter().any(|event| event["method"] == method) {
            return;
        }
        loop {
            let message = self.browser.next(method);
            let is_awaited = message["method"] == method;
            self.events.push(message);
            if is_awaited {
                return;
            }
        }
    }

    /// The value of an expression in the page, a promise's once it is kept.
    pub fn value(&mut self, expression: &str) -> Value {
        let told = self.call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true, "awaitPromise": true}));
        assert!(told["exceptionDetails"].is_null(), "{expression}: {}", told["exceptionDetails"]);
        told["result"]["value"].clone()
    }

    pub fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is no text: {value}")).to_owned()
    }

    pub fn size(&mut self, width: u32, height: u32) {
        self.call("Emulation.setDeviceMetricsOverride", json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}));
    }

    pub fn theme(&mut self, theme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// The middle of an element, brought into view.
    fn middle(&mut self, element: &str) -> (Value, Value) {
        self.value(&format!("({element}).scrollIntoView({{behavior: 'instant', block: 'center', inline: 'center'}})"));
        self.frames();
        let place = self.value(&format!(
            "(() => {{ const b = ({element}).getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; }})()"
        ));
        (place[0].clone(), place[1].clone())
    }

    /// A click by the mouse, as a person makes it.
    pub fn click(&mut self, element: &str) {
        let (x, y) = self.middle(element);
        for kind in ["mousePressed", "mouseReleased"] {
            self.call("Input.dispatchMouseEvent", json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}));
        }
        self.frames();
    }

    pub fn hover(&mut self, element: &str) {
        let (x, y) = self.middle(element);
        self.call("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y}));
        self.frames();
    }

    /// Waits until what was done is on the screen, and what listens to it, to scrolling among others, has heard of it.
    fn frames(&mut self) {
        self.value("new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => resolve(0))))");
    }

    pub fn press(&mut self, key: &str, code: u32) {
        let text = if key == "Enter" { "\r" } else { "" };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        self.call("Input.dispatchKeyEvent", json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}));
        self.call("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}));
        self.frames();
    }

    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
        self.frames();
    }
}
