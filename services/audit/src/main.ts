import { startFromEnvironment } from '@amana/service';
import { AuditService } from './audit.module.ts';

await startFromEnvironment(AuditService);
