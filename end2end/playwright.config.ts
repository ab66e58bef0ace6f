import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { defineConfig, devices, firefox, webkit, type BrowserType, type Project } from "@playwright/test";

/** Chromium as the distribution packages it. `./dev` names it; a plain `npx playwright test` finds it in PATH. */
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
        // Playwright switches this cache off. People have it, and the “back” button is how secrets reappear.
        ignoreDefaultArgs: ["--disable-back-forward-cache"],
        ...(chromium ? { executablePath: chromium } : {}),
        args: [
          // Chromium's sandbox needs privileges that containers and CI machines rarely grant. We only load our own pages.
          "--no-sandbox",
          "--disable-gpu",
          // Nothing here may depend on, or wait for, an unreachable network.
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
  // Tests that use the DevTools protocol need Chromium.
  ["firefox", firefox, { use: devices["Desktop Firefox"], grepInvert: /@chromium/ }],
  // WebKit does not keep `Secure` cookies over http, not even on localhost. So there is no session to test, only the
  // page's warning.
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
  // A test that passes only on a retry has found a bug.
  retries: 0,
  forbidOnly: Boolean(process.env["CI"] ?? process.env["KEYTURN_FORBID_ONLY"]),
  // Limits for a busy machine; no test waits longer than it needs.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"], ["json", { outputFile: "../target/reports/e2e.json" }]],
  use: {
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
  projects,
});
