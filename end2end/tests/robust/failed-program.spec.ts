import type { Page } from "@playwright/test";
import { rewrite } from "../../fixtures/html";
import { expect, test } from "../../fixtures/test";

function notice(page: Page, title: string) {
  return page.getByRole("alert").filter({ hasText: title });
}

test("a browser without WebAssembly is told so", async ({ login, page, consoleGuard }) => {
  consoleGuard.allow(/WebAssembly/);
  await page.addInitScript(() => Reflect.deleteProperty(window, "WebAssembly"));
  await login.open();
  await expect(notice(page, "This browser cannot run this page")).toBeVisible();
  await expect(login.submit).toBeDisabled();
});

const LOST: { name: string; files: string }[] = [
  { name: "the loader", files: "**/pkg/keyturn.*.js" },
  { name: "the program", files: "**/pkg/keyturn.*.wasm" },
  { name: "the list of parts", files: "**/pkg/__wasm_split.*.js" },
];
for (const { name, files } of LOST) {
  for (const how of ["refused", "missing", "cut off"] as const) {
    test(`${name} that is ${how} is told of, and a reload heals it`, async ({ login, account, page, user, consoleGuard }) => {
      consoleGuard.allow(/Failed to load resource|Failed to fetch|uncaught|ERR_|preload|WebAssembly|MIME/);
      await page.route(files, (route) => {
        if (how === "refused") return route.abort();
        if (how === "missing") return route.fulfill({ status: 404, contentType: "application/problem+json", body: "{}" });
        return route.fulfill({
          status: 200,
          contentType: files.endsWith("js") ? "text/javascript" : "application/wasm",
          body: files.endsWith("js") ? "export default function (" : "\0asm",
        });
      });
      await login.open();
      const told = notice(page, "This page did not load completely");
      await expect(told).toBeVisible();
      await page.unroute(files);
      await told.getByRole("button", { name: "Reload" }).click();
      await expect(login.submit).toBeEnabled();
      await expect(told).toBeHidden();
      await login.signIn(user);
      await account.expectFor(user);
    });
  }
}

for (const { name, files, path } of [
  { name: "the loader", files: "**/pkg/keyturn.*.js", path: "/login" },
  { name: "the program", files: "**/pkg/keyturn.*.wasm", path: "/login" },
  { name: "a part", files: "**/pkg/split_register_part.*.wasm", path: "/register" },
]) {
  test(`${name} that is slow is told of until it arrives`, async ({ page, consoleGuard }) => {
    consoleGuard.allow(/preload/);
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    await page.route(files, async (route) => {
      await arrived;
      await route.continue();
    });
    await page.goto(path, { waitUntil: "commit" });
    const told = notice(page, "Still loading");
    await expect(told).toBeVisible();
    arrive();
    await expect(told).toBeHidden();
    await expect(page.locator("main").getByRole("button", { name: /^(Sign in|Create account)$/ })).toBeEnabled();
  });
}

/** The checksum of `app::checksum`, for a page whose HTML and checksum were changed together. */
function shapeOf(html: string): string {
  let hash = 0x811c9dc5;
  const add = (text: string) => {
    for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  };
  const body = /<body[^>]*>([\s\S]*)<noscript>/.exec(html)?.[1] ?? "";
  for (const [token] of body.matchAll(/<!(--[\s\S]*?--)?>|<\/?[a-zA-Z0-9-]+(?:"[^"]*"|[^>"])*>|[^<]+/g)) {
    const name = /^<([a-zA-Z0-9-]+)/.exec(token)?.[1]?.toLowerCase();
    if (token.startsWith("<!")) add("!");
    else if (token.startsWith("</")) add(">");
    else if (name) add(["input", "br", "img", "hr"].includes(name) ? `<${name}>` : `<${name}`);
    else add("t");
  }
  return hash.toString(16).padStart(8, "0");
}

test("a program that crashes while it takes the page over says so, and a reload renders the page instead", async ({
  login,
  account,
  page,
  user,
  consoleGuard,
}) => {
  consoleGuard.allow(/panicked|unreachable|RuntimeError|console.error|uncaught/);
  await rewrite(page, (html) => {
    expect(html).toContain(`data-shape="${shapeOf(html)}"`);
    const changed = html.replace(/<form/, "<p></p><form");
    return changed.replace(/data-shape="\w+"/, `data-shape="${shapeOf(changed)}"`);
  });
  await login.open();
  const told = notice(page, "This page has stopped working");
  await expect(told).toBeVisible();
  await told.getByRole("button", { name: "Reload" }).click();
  await expect(login.submit).toBeEnabled();
  await login.signIn(user);
  await account.expectFor(user);
});

test("a program that crashes later says so, and the session survives", async ({ browserApi, account, page, user, consoleGuard }) => {
  consoleGuard.allow(/unreachable|RuntimeError|uncaught/);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await page.evaluate(() => {
    // (module (func (export "f") unreachable))
    const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11];
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)));
    setTimeout(exports["f"] as () => void);
  });
  const told = notice(page, "This page has stopped working");
  await expect(told).toBeVisible();
  await told.getByRole("button", { name: "Reload" }).click();
  await account.expectFor(user);
  await expect(told).toBeHidden();
});

test("one view transition that is skipped for another is no error", async ({ home, page }) => {
  await home.open();
  await expect(page.locator("html")).toHaveAttribute("data-session", "anonymous");
  await page.evaluate(() => {
    for (let times = 0; times < 3; times++) document.startViewTransition(() => {});
  });
  // The console guard fails the test if a promise is left unhandled.
  await page.waitForTimeout(300);
});

for (const scheme of ["light", "dark"] as const) {
  for (const width of [320, 1280]) {
    test(`the notice can be read at ${width} px, ${scheme}`, async ({ login, page, consoleGuard }) => {
      consoleGuard.allow(/Failed to load resource|Failed to fetch|uncaught|ERR_|preload/);
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 720 });
      await page.route("**/pkg/keyturn.*.wasm", (route) => route.abort());
      await login.open();
      const told = notice(page, "This page did not load completely");
      await expect(told).toBeVisible();
      const box = await told.getByRole("button", { name: "Reload" }).boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(43.5);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      await page.screenshot({ path: test.info().outputPath(`notice-${scheme}-${width}.png`) });
    });
  }
}
