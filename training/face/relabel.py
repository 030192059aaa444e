"""Re-label every stored crop with the 478 FaceMesh points (3-D)."""
import numpy as np,cv2,mediapipe as mp,os
d=np.load('/work/shared/training/face_crops.npz'); J,o,P,idx=d['jpg'],d['off'],d['points'],d['mediapipe_index']
fm=mp.solutions.face_mesh.FaceMesh(static_image_mode=True,max_num_faces=1,refine_landmarks=True,min_detection_confidence=.3)
N=len(P); out=np.full((N,478,3),np.nan,np.float32); err=np.full(N,np.inf,np.float32)
for i in range(N):
    im=cv2.imdecode(J[o[i]:o[i+1]],1); big=cv2.resize(im,None,fx=2,fy=2,interpolation=cv2.INTER_CUBIC)
    r=fm.process(cv2.cvtColor(big,cv2.COLOR_BGR2RGB))
    if not r.multi_face_landmarks: continue
    l=np.array([(p.x*176,p.y*176,p.z*176) for p in r.multi_face_landmarks[0].landmark],np.float32); out[i]=l
    iod=np.linalg.norm(l[263,:2]-l[33,:2]); err[i]=np.linalg.norm(l[idx,:2]-P[i],axis=1).mean()/max(iod,1)
    if i%500==0: print(i,err[i],flush=True)
np.savez('labels.npz',points=out,err=err); print('found',np.isfinite(err).sum(),'err pct',np.percentile(err[np.isfinite(err)],[5,50,90,95,99]))
