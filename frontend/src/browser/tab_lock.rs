//! Mutual exclusion between tabs: the Web Locks API.

use js_sys::{Function, Object, Promise, Reflect};
use session_client::{LockGuard, LockName, TabLock};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

/// The names of the locks, which all pages of our origin share.
const fn lock_name(lock: LockName) -> &'static str {
    match lock {
        LockName::First => "keyturn.cookie",
        LockName::Overflow => "keyturn.cookie.overflow",
    }
}

/// Locks of `navigator.locks`, which browsers support in secure contexts since 2022. Without it no lock is granted.
#[derive(Debug)]
pub(crate) struct WebLocks;

/// Releases the lock when it is dropped: it resolves the promise that the browser waits for.
struct ReleaseOnDrop(Function);

/// Cancels the lock request when it is dropped. After the lock is granted, the signal has no effect.
struct CancelOnDrop(AbortController);

impl TabLock for WebLocks {
    fn acquire(&self, lock: LockName) -> std::pin::Pin<Box<dyn Future<Output = Option<LockGuard>>>> {
        Box::pin(async move {
            let controller = AbortController::new().ok()?;
            let granted = request(lock_name(lock), &controller)?;
            let _cancel = CancelOnDrop(controller);
            let release: Function = JsFuture::from(granted).await.ok()?.dyn_into().ok()?;
            Some(Box::new(ReleaseOnDrop(release)) as LockGuard)
        })
    }
}

impl Drop for ReleaseOnDrop {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Requests the lock. The promise resolves when the lock is granted, with the function that releases it.
///
/// It uses reflection, because `web-sys` marks this API as unstable and a direct call would throw where the API is
/// missing.
fn request(name: &str, controller: &AbortController) -> Option<Promise> {
    let navigator: JsValue = web_sys::window()?.navigator().into();
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let options = Object::new();
    let signal = controller.signal();
    Reflect::set(&options, &"signal".into(), &signal).ok()?;
    let mut request_promise = None;
    let granted = Promise::new(&mut |grant, refuse| {
        let signal = signal.clone();
        // The browser holds the lock until the returned promise resolves. The closure frees itself when it is called.
        // If it is never called, it leaks a few bytes for each cancelled request.
        let hold = Closure::once_into_js(move |_lock: JsValue| {
            // A request that is cancelled while the grant is on its way is still granted the lock, and no code is left
            // to release it. So it is released here.
            if signal.aborted() {
                return Promise::resolve(&JsValue::UNDEFINED);
            }
            Promise::new(&mut |release, _| {
                let _ = grant.call1(&JsValue::NULL, &release);
            })
        });
        match request.call3(&locks, &name.into(), &options, &hold) {
            Ok(promise) => request_promise = promise.dyn_into::<Promise>().ok(),
            Err(error) => {
                let _ = refuse.call1(&JsValue::NULL, &error);
            }
        }
    });
    // A cancelled request rejects this promise. An unhandled rejection would be reported as an error.
    if let Some(request_promise) = request_promise {
        spawn_local(async {
            let _ = JsFuture::from(request_promise).await;
        });
    }
    Some(granted)
}
