import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { defineConfig, devices, firefox, webkit, type BrowserType, type Project } from "@playwright/test";

/** Chromium as the distribution packages it; `./dev` names it, and a bare `npx playwright test` finds it in PATH. */
function chromiumPath(): string | undefined {
  if (process.env["KEYTURN_CHROMIUM"]) return process.env["KEYTURN_CHROMIUM"];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const chromium = chromiumPath();

const projects: Project[] = [
  {
    name: "chromium",
    use: {
      ...devices["Desktop Chrome"],
      launchOptions: {
        // Playwright switches this cache off. People have it, and “back” is where secrets come back.
        ignoreDefaultArgs: ["--disable-back-forward-cache"],
        ...(chromium ? { executablePath: chromium } : {}),
        args: [
          // Chromium's sandbox needs privileges that containers and CI machines rarely grant. We only load our own pages.
          "--no-sandbox",
          "--disable-gpu",
          // Nothing here may depend on, or wait for, a network that is not there.
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      },
    },
  },
];

// The other engines only exist as Playwright's own builds (`npx playwright install firefox webkit`).
const others: [string, BrowserType, Partial<Project>][] = [
  // What speaks to the browser over its DevTools protocol speaks to Chromium.
  ["firefox", firefox, { use: devices["Desktop Firefox"], grepInvert: /@chromium/ }],
  // WebKit does not keep `Secure` cookies over http, not even on localhost, so there is no session to test: only that
  // the page says so.
  ["webkit", webkit, { use: devices["Desktop Safari"], grep: /@without-cookies/ }],
];
for (const [name, type, project] of others) {
  if (isExecutable(type.executablePath())) projects.push({ name, ...project });
  else if (process.env["TEST_WORKER_INDEX"] === undefined) console.log(`${name} is not tested: Playwright's own build of it is not installed`);
}

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  workers: 2,
  // A test that passes at the second try has found something.
  retries: 0,
  forbidOnly: Boolean(process.env["CI"] ?? process.env["KEYTURN_FORBID_ONLY"]),
  // Bounds for a busy machine; nothing waits when the answer is there.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"], ["json", { outputFile: "../target/reports/e2e.json" }]],
  use: {
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
  projects,
});
