const { withSpan, createLogger } = await import(process.env.IDX);
const N=50000; 
for (let k=0;k<3;k++){ const c=process.cpuUsage(); for (let i=0;i<N;i++) withSpan('process referral.accepted.v1', {'amana.event.type':'referral.accepted.v1','amana.consumer':'on-bed-held','amana.attempt':1}, ()=>i); await new Promise(r=>setTimeout(r,200)); const d=process.cpuUsage(c); if(k==2)console.log(process.env.LABEL,'withSpan', ((d.user+d.system)/N).toFixed(2)+'us'); }
const log=createLogger({service:'x',level:'info',destination:{write(){}}});
for (let k=0;k<3;k++){ const c=process.cpuUsage(); for (let i=0;i<N;i++) log.info('event-handled',{referralId:'3f2b8a44-58a0-4a63-9c9e-0b8f4c1d2e3f',durationMs:3,topic:'referral.referral.v1'}); const d=process.cpuUsage(c); if(k==2)console.log('log', ((d.user+d.system)/N).toFixed(2)+'us'); }
