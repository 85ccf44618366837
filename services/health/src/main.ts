import { startFromEnvironment } from '@amana/service';
import { HealthService } from './health.module.ts';

await startFromEnvironment(HealthService);
