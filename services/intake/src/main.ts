import { startFromEnvironment } from '@amana/service';
import { IntakeService } from './intake.module.ts';

await startFromEnvironment(IntakeService);
