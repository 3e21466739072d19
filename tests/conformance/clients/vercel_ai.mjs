// Vercel's AI SDK with a tool, exported by OpenTelemetry's JavaScript SDK.
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const provider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "unused" });
const telemetry = {
  isEnabled: true,
  functionId: "answer",
  metadata: { userId: "u1", sessionId: "s1" },
};
await generateText({
  model: openai.chat("gpt-4o-mini"),
  system: "Be brief.",
  prompt: "Weather in Paris?",
  temperature: 0,
  tools: {
    weather: tool({
      description: "Look the weather up.",
      inputSchema: z.object({ city: z.string() }),
      execute: async () => "sunny",
    }),
  },
  stopWhen: stepCountIs(2),
  experimental_telemetry: telemetry,
});
await generateText({
  model: openai.chat("missing"),
  prompt: "Weather in Paris?",
  maxRetries: 0,
  experimental_telemetry: telemetry,
}).catch(() => {});
await provider.shutdown();
