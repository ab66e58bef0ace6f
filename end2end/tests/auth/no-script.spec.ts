import { expect, test } from "../../fixtures/test";

test.use({ javaScriptEnabled: false });

for (const path of ["/", "/register", "/login"]) {
  test(`without JavaScript, ${path} shows itself and says what does not work`, async ({ page }) => {
    const response = await page.goto(path);
    expect(response?.status()).toBe(200);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText(/needs JavaScript/).first()).toBeVisible();
  });
}
