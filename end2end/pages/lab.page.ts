import { expect, type Locator } from "@playwright/test";
import { BasePage } from "./base.page";

/** A place in the matrix, by the names that the API uses. */
export interface Place {
  strategy: string;
  threat: string;
}

/** Where tokens may be kept, and what each way is worth. */
export class LabPage extends BasePage {
  readonly path = "/lab";

  get runAll(): Locator {
    return this.page.getByRole("button", { name: "Run all", exact: true });
  }
  /** How far the run is, in a line. */
  get progress(): Locator {
    return this.page.getByRole("region", { name: "The measurement" }).getByRole("status");
  }
  get problem(): Locator {
    return this.page.getByRole("region", { name: "The measurement" }).getByRole("alert");
  }
  /** There if the browser kept the runner's window from opening. */
  get openRunner(): Locator {
    return this.page.getByRole("link", { name: "Open the runner" });
  }
  get download(): Locator {
    return this.page.getByRole("link", { name: "Download the results (JSON)" });
  }
  get matrix(): Locator {
    return this.page.getByRole("table", { name: /^What happens to a session/ });
  }

  cell({ strategy, threat }: Place): Locator {
    return this.matrix.locator(`td[data-strategy="${strategy}"][data-threat="${threat}"]`);
  }
  /** What the matrix says, as `strategy.threat` to verdict. */
  async verdicts(): Promise<Record<string, string>> {
    return this.matrix
      .locator("td[data-verdict]")
      .evaluateAll((cells) =>
        Object.fromEntries(
          (cells as HTMLElement[]).map(({ dataset }) => [`${dataset["strategy"]}.${dataset["threat"]}`, dataset["verdict"] ?? ""]),
        ),
      );
  }

  /** Chooses the defence to do without, by its name in the API. */
  async doWithout(defence: string): Promise<void> {
    await this.page.getByText(/^Without a defence:/).click();
    await this.page.locator(`input[name="without"][value="${defence}"]`).check();
  }

  /** The evidence of the open cell. */
  get evidence(): Locator {
    return this.page.getByRole("region", { name: / · / });
  }
  get closeEvidence(): Locator {
    return this.evidence.getByRole("button", { name: "Close", exact: true });
  }
  async openEvidence(place: Place): Promise<Locator> {
    await this.cell(place).getByRole("button").click();
    await expect(this.evidence.getByRole("heading", { level: 2 })).toBeFocused();
    return this.evidence;
  }

  async expectFinished(): Promise<void> {
    await expect(this.progress).toHaveText(/^Finished\./);
  }
}
