import { describe, expect, it } from "vitest";
import { readWindow, windowBefore, writeWindow } from "./window";

describe("windows", () => {
  it("survive the URL", () => {
    const window = { fromS: 1_790_000_000, toS: 1_790_003_600 };
    expect(readWindow(writeWindow(window))).toEqual(window);
  });
  it("are nothing when they are not two rising moments", () => {
    for (const word of [null, "", "x-y", "1790003600-1790000000", "1-2", "-6h"]) expect(readWindow(word)).toBeNull();
  });
  it("are as long as the one before them", () => {
    expect(windowBefore({ fromS: 100, toS: 160 })).toEqual({ fromS: 40, toS: 100 });
  });
});
