import { claims } from "../../fixtures/lab-claims";
import { runBench } from "../../fixtures/lab-run";
import { expect, test } from "../../fixtures/test";

// If a verdict stays the same without its defence, the defence did not cause it.
test.describe.configure({ mode: "default", timeout: 360_000 });
test.use({ labIsOpen: true });

const OURS = "memory-and-refresh-cookie";

for (const [defence, turned] of Object.entries({
  "http-only": "single-execution-theft",
  "cross-site": "csrf-logout",
  revocation: "access-after-sign-out",
  "reuse-detection": "refresh-before-owner",
})) {
  test(`without ${defence}, ${turned} turns, and nothing else does`, async ({ context, server, consoleGuard }) => {
    // Failed attacks get 4xx, and the report of a forged form is a separate page.
    consoleGuard.allow(/status of 4\d\d .*\.localhost:/);
    // The browser may withhold the cookie when the visitor returns from another site (`SameSite`), so the page asks.
    consoleGuard.allow(/status of 401 .*\/api\/auth\/refresh$/);
    const { bench } = await runBench(context, server.origin, "storage", { without: defence });
    const restart = Object.keys(claims("storage")).filter((cell) => cell.endsWith(".restart"));
    expect(await bench.verdicts()).toEqual({
      ...claims("storage"),
      [`${OURS}.${turned}`]: "exposed",
      ...Object.fromEntries(restart.map((cell) => [cell, "not-measured"])),
    });
  });
}
