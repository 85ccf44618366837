// plants: only-telemetry-starts-opentelemetry
import { TracerProvider } from '@opentelemetry/sdk-trace';

export const sdk = TracerProvider;
