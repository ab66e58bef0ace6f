import { expect, test } from "../../fixtures/test";

test.use({ labIsOpen: true });

test("while a run is under way, another bench says to wait, and may begin afterwards", async ({ lab, context, consoleGuard }) => {
  test.setTimeout(240_000);
  // Refreshes are refused, some answers are lost, and what the product answers no other origin may read.
  consoleGuard.allow(/status of (4\d\d|502) .*\.localhost:/);
  consoleGuard.allow(/ERR_BLOCKED_BY_RESPONSE\.NotSameOrigin .*\/api\/auth\/refresh\?/);
  const [races, forgery] = [lab.bench("races"), lab.bench("forgery")];
  await lab.open();
  await expect(races.start).toBeEnabled();
  const opened = context.waitForEvent("page");
  await races.start.click();
  await opened;
  await expect(races.progress).not.toHaveText("Not run yet.");

  await forgery.start.click();
  await expect(forgery.problem).toContainText("“Races” is still running in this browser");
  await expect(forgery.progress).toHaveText("Not run yet.");
  expect(context.pages()).toHaveLength(2);

  await races.expectFinished({ timeout: 150_000 });
  const next = context.waitForEvent("page");
  await forgery.start.click();
  await (await next).waitForURL(/\/play\?/);
  await expect(forgery.problem).toBeEmpty();
  await forgery.expectFinished({ timeout: 150_000 });
});
